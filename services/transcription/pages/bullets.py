"""Bullets of symbol fonts that a file stores as letters: a triangle as "I", a tick as "!"."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from services.transcription.pages.lines import Line

_MARKS = frozenset("I!JnluvqzyxØü§èàÄ")  # what triangles, balls, squares, arrows and ticks are stored as
_SAME_EDGE_PT = 2.0
_LEAST = 2


def with_bullets(lines: Sequence[Line]) -> list[Line]:
    """The lines of a slide, with a bullet for a letter that stands before every line of a left edge of their own."""
    marked = [line for line in lines if line.text[0] in _MARKS and (len(line.text) == 1 or line.text[1] == " ")]
    edges: dict[tuple[str, int], list[Line]] = defaultdict(list)
    for line in marked:
        edges[line.text[0], round(line.x0 / _SAME_EDGE_PT)].append(line)
    bullets = {
        id(line)
        for group in edges.values()
        if len(group) >= _LEAST and not _others_begin_there(group, lines)
        for line in group
    }
    return [replace(line, text="•" + line.text[1:]) if id(line) in bullets else line for line in lines]


def _others_begin_there(group: Sequence[Line], lines: Sequence[Line]) -> bool:
    """Whether lines without the mark begin at the same edge, between the first and the last with it."""
    left, top, bottom = group[0].x0, group[0].y0, group[-1].y1
    known = {id(line) for line in group}
    return any(
        abs(line.x0 - left) <= _SAME_EDGE_PT and top < (line.y0 + line.y1) / 2 < bottom and id(line) not in known
        for line in lines
    )
