"""What the slides of a recording share at their edges: logos, names of courses, footers. It is nobody's title."""

import random
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

import jellyfish

from services.transcription.slides.arrangement import shares_row
from services.transcription.slides.values import TextLine

_LEAST_SLIDES, _NEARLY_ALL = 3, 0.75
_SAMPLES = 12  # slides among which what nearly all have is looked for: all of them lack it once in 10 million times
_MOST_LINES = 20  # of a slide's border, from its beginning and its end
_COMPARED_CHARACTERS = 60
_TOP, _BOTTOM, _SIDE = 0.2, 0.85, 0.1  # how far the border reaches in, as shares of the slide
_SAME_PLACE = 0.5  # of what two boxes cover together
_SAME_TEXT = 0.8  # Jaro-Winkler similarity: letters of a logo are read now so, now so
_RIGHT = 0.6  # of the width: no title begins further right
_NEAR_TOP = 0.35
_LARGER, _AS_LARGE, _NOT_SMALL = 1.15, 0.85, 0.5
_BULLET = re.compile(r"[•◦▪■●○‣⁃*·–—-]")
_LEFT = 0.5  # of the width: a counter of pages in the right corner begins further right
_COUNTED = re.compile(r"[^\W\d]{2,}.*\d")
_DIGITS = re.compile(r"\d+")


@dataclass
class _Mark:
    """A text at one place: `line` as it was read first, and the line on each slide that has it."""

    line: TextLine
    found: dict[int, TextLine] = field(default_factory=dict)


def furniture(slides: Sequence[Sequence[TextLine]]) -> list[frozenset[TextLine]]:
    """The lines of each slide that nearly all slides have at the same place at their edges.

    A text in the title's place is furniture only where most slides have another title: else it is theirs, repeated.
    Slides without lines count for nothing.
    """
    read = sum(bool(lines) for lines in slides)
    least = max(_LEAST_SLIDES, _NEARLY_ALL * read)
    marks = [mark for mark in _marks(slides) if len(mark.found) >= least]
    shared = [{mark.found[number] for mark in marks if number in mark.found} for number in range(len(slides))]
    own = [[line for line in lines if line not in gone] for lines, gone in zip(slides, shared, strict=True)]
    titles = [mark for mark in marks if _is_title(mark, own)]
    kept = [{mark.found[number] for mark in titles if number in mark.found} for number in range(len(slides))]
    return [frozenset(gone - titles_there) for gone, titles_there in zip(shared, kept, strict=True)]


def _marks(slides: Sequence[Sequence[TextLine]]) -> list[_Mark]:
    """What stands at a place of the border on some slides, and on which others; thousands are read in seconds."""
    borders = [_border(lines) for lines in slides]
    marks: list[_Mark] = []
    for lines in _some([lines for lines in borders if lines]):
        marks += [_Mark(line) for line in lines if not any(_is_same(mark.line, line) for mark in marks)]
    for number, lines in enumerate(borders):
        for line in lines:
            mark = next((mark for mark in marks if number not in mark.found and _is_same(mark.line, line)), None)
            if mark is not None:
                mark.found[number] = line
    return marks


def _some(borders: Sequence[list[TextLine]]) -> list[list[TextLine]]:
    """At most `_SAMPLES` of them, at no regular distance, and for the same slides always the same."""
    chance = random.Random(0)  # noqa: S311 -- a choice that is the same each time guards no secret
    return [borders[number] for number in sorted(chance.sample(range(len(borders)), min(_SAMPLES, len(borders))))]


def _border(lines: Sequence[TextLine]) -> list[TextLine]:
    found = [line for line in lines if _is_at_border(line)]
    return found if len(found) <= _MOST_LINES else found[: _MOST_LINES // 2] + found[-_MOST_LINES // 2 :]


def _is_at_border(line: TextLine) -> bool:
    return line.y1 <= _TOP or line.y0 >= _BOTTOM or line.x1 <= _SIDE or line.x0 >= 1 - _SIDE


def _is_same(one: TextLine, other: TextLine) -> bool:
    across = max(0.0, min(one.x1, other.x1) - max(one.x0, other.x0))
    down = max(0.0, min(one.y1, other.y1) - max(one.y0, other.y0))
    if across * down <= _SAME_PLACE * (_area(one) + _area(other) - across * down):
        return False
    return jellyfish.jaro_winkler_similarity(_plain(one.text), _plain(other.text)) >= _SAME_TEXT


def _area(line: TextLine) -> float:
    return (line.x1 - line.x0) * line.height


def _plain(text: str) -> str:
    """Its beginning without spaces and what numbers say: footers count."""
    return _DIGITS.sub("#", "".join(text[:_COMPARED_CHARACTERS].casefold().split()))


def _is_title(mark: _Mark, own: Sequence[Sequence[TextLine]]) -> bool:
    """Whether a shared text stands where a title does, and few slides have another one."""
    if mark.line.y1 > _TOP or mark.line.x0 > _RIGHT:
        return False
    if len({line.text for line in mark.found.values()}) == len(mark.found) and _is_large(mark, own):
        return True  # "Exercise 1", "Exercise 2": the same but for its number
    others = sum(_has_title_beside(line, own[number]) for number, line in mark.found.items())
    return 2 * others < len(mark.found)


def _is_large(mark: _Mark, own: Sequence[Sequence[TextLine]]) -> bool:
    """Whether a text is as tall as any of the slides' own lines, and names something; counters of pages are small."""
    tallest = (max((line.height for line in own[number]), default=0.0) for number in mark.found)
    large = all(
        line.height >= _AS_LARGE * other and _COUNTED.match(line.text)
        for line, other in zip(mark.found.values(), tallest, strict=True)
    )
    return large and mark.line.x0 < _LEFT


def _has_title_beside(shared: TextLine, own: Sequence[TextLine]) -> bool:
    """Whether one of a slide's own lines looks like its title, and not like a point or subtitle under `shared`."""
    for line in own:
        if line.y0 >= _NEAR_TOP:
            continue
        rest = [other.height for other in own if other is not line and other.y0 > line.y1]
        stands_out = not rest or line.height >= _LARGER * statistics.median(rest)
        enough = _NOT_SMALL if shares_row(shared, line) else _AS_LARGE
        is_named = any(map(str.isalpha, line.text)) and not _BULLET.match(line.text)
        if is_named and stands_out and line.height >= enough * shared.height:
            return True
    return False
