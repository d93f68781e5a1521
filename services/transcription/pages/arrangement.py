"""A page's lines, tables and figures put in reading order: by their places, or as the file has them.

Columns set close together look like one from their places alone, and so do short lists beside each other. Where that
order would read across them, and the file's own order does not, the file's is taken.
"""

import itertools
from collections.abc import Sequence
from dataclasses import replace

from services.transcription.pages.handouts import rows_of_frames
from services.transcription.pages.lines import Line
from services.transcription.pages.models import Box, Piece
from services.transcription.pages.order import Placed, reading_order
from services.transcription.pages.paragraphs import BULLET, Run, make_pieces

_GUTTER_EM = 0.7
_LONG_CHARS = 18  # of a line of running text; what is shorter may be a cell
_LEAST_ACROSS = 4
_ACROSS_SHARE = 0.04  # of all long lines
_LEAST_LIST = 2
_LINE_STEP = 1.9  # of the font size


def arranged(lines: list[Line], solid: list[Piece], asides: list[Box], body: float) -> tuple[list[Piece], bool]:
    """Lines and solid pieces in reading order, and whether even so lines are read across columns.

    The lines of an aside stay together.
    """
    loose = [line for line in lines if line.group == 0]
    boxes = [line.box for line in loose] + [piece.box for piece in solid] + asides
    placed = reading_order(boxes, _GUTTER_EM * body)
    by_place = [each.index for each in placed if each.index < len(loose)]
    across = reads_across([loose[index] for index in by_place])
    if (across and not reads_across(lines)) or (not asides and _mixes_lists(loose, by_place)):
        return _notes_last(_in_own_order(lines, solid, body)), False
    placed, torn = _by_rows_of_frames(placed, asides)
    pieces: list[Piece] = []
    run: Run = []
    for each in placed:
        if each.index < len(loose):
            run.append((loose[each.index], each.column))
            continue
        pieces += make_pieces(run, body)
        run = []
        other = each.index - len(loose)
        if other < len(solid):
            pieces.append(solid[other].model_copy(update={"column": each.column}))
        else:
            group = other - len(solid) + 1
            pieces += _aside([line for line in lines if line.group == group], body)
    return _notes_last(pieces + make_pieces(run, body)), across or torn


def _by_rows_of_frames(placed: list[Placed], asides: list[Box]) -> tuple[list[Placed], bool]:
    """`placed`, of which the last are `asides`, with slides row by row; and whether what stands between forbids it."""
    rows, first = rows_of_frames(asides), len(placed) - len(asides)
    slots = [slot for slot, each in enumerate(placed) if each.index >= first]
    if rows is None or [placed[slot].index - first for slot in slots] == rows:
        return placed, False
    if slots[-1] - slots[0] >= len(slots):
        return placed, True
    in_rows = [replace(placed[slot], index=first + row) for slot, row in zip(slots, rows, strict=True)]
    return placed[: slots[0]] + in_rows + placed[slots[-1] + 1 :], False


def reads_across(lines: Sequence[Line]) -> bool:
    """Whether many long lines are followed by another long one beside them, as no column of text is read."""
    long = [line for line in lines if len(line.text) >= _LONG_CHARS]
    across = sum(_is_beside(one, other) for one, other in itertools.pairwise(long))
    return across >= max(_LEAST_ACROSS, _ACROSS_SHARE * len(long))


def _mixes_lists(lines: Sequence[Line], by_place: Sequence[int]) -> bool:
    """Whether the order `by_place` goes to and fro between lists that `lines` has one after the other.

    Rows of a table have their cells next to each other in the file too, or at least no bullets.
    """
    columns = _own_columns(lines)
    of_line = {id(line): number for number, column in enumerate(columns) for line in column}
    lists = {number for number, column in enumerate(columns) if len(column) >= _LEAST_LIST}
    rows = [
        (one, other)
        for one, other in itertools.pairwise(by_place)
        if {of_line[id(lines[one])], of_line[id(lines[other])]} <= lists and _is_beside(lines[one], lines[other])
    ]
    torn = sum(of_line[id(lines[one])] != of_line[id(lines[other])] and abs(one - other) > 1 for one, other in rows)
    bullets = any(BULLET.match(lines[index].text) for row in rows for index in row)
    return torn >= _LEAST_LIST and torn == len(rows) and bullets


def _is_beside(one: Line, other: Line) -> bool:
    shared = min(one.y1, other.y1) - max(one.y0, other.y0)
    return shared > 0.3 * min(one.y1 - one.y0, other.y1 - other.y0) and (other.x0 >= one.x1 or one.x0 >= other.x1)


def _in_own_order(lines: Sequence[Line], solid: Sequence[Piece], body: float) -> list[Piece]:
    """Columns as the file writes them, with each table and figure after the text right above it."""
    columns = _own_columns(lines)
    after: dict[int, list[Piece]] = {}
    for piece in solid:
        after.setdefault(_column_above(columns, piece.box), []).append(piece)
    pieces = after.get(-1, [])
    for number, column in enumerate(columns):
        edges = (min(line.x0 for line in column), max(line.x1 for line in column))
        pieces += make_pieces([(replace(line, group=0), edges) for line in column], body) + after.get(number, [])
    return pieces


def _own_columns(lines: Sequence[Line]) -> list[list[Line]]:
    """Runs of lines that the file has one below the other."""
    columns: list[list[Line]] = []
    left = right = 0.0  # of the last one: a page can have 100,000 lines
    for line in lines:
        if columns and _goes_on_below(columns[-1][-1], line) and left - line.size <= line.x0 < right:
            columns[-1].append(line)
            left, right = min(left, line.x0), max(right, line.x1)
        else:
            columns.append([line])
            left, right = line.x0, line.x1
    return columns


def _goes_on_below(last: Line, line: Line) -> bool:
    return 0 <= line.baseline - last.baseline < 2 * _LINE_STEP * line.size


def _column_above(columns: Sequence[Sequence[Line]], box: Box) -> int:
    """The number of the last column of text that stands over `box`; -1: none does."""
    over = [
        (column[-1].y1, number)
        for number, column in enumerate(columns)
        if column[-1].y1 <= box[1] + 2 and any(line.x0 < box[2] and line.x1 > box[0] for line in column)
    ]
    return max(over)[1] if over else -1


def _aside(lines: list[Line], body: float) -> list[Piece]:
    placed: list[Placed] = reading_order([line.box for line in lines], _GUTTER_EM * body)
    if _mixes_lists(lines, [each.index for each in placed]):
        return [piece.model_copy(update={"aside": True}) for piece in _in_own_order(lines, [], body)]
    return make_pieces([(replace(lines[p.index]), p.column) for p in placed], body)


def _notes_last(pieces: Sequence[Piece]) -> list[Piece]:
    return [piece for piece in pieces if not piece.footnote] + [piece for piece in pieces if piece.footnote]
