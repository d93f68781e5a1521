"""Page numbers on a page's edge, told from the text that stands beside them."""

import re
from collections.abc import Sequence

from services.transcription.pages.lines import Line

_NUMBER = re.compile(r"[-–—|]?\s*\d{1,4}\s*[-–—|]?(?:\s*(?:/|of|von|\|)\s*\d{1,4})?", re.IGNORECASE)
_ZONE = 0.12  # of the page's height, at its top and bottom


def without_page_numbers(lines: Sequence[Line], height: float) -> tuple[list[Line], list[Line]]:
    """The other lines, and those at the top or bottom that are a number alone.

    A number has the first or the last place of its row, so that a cell between others is none.
    """
    numbers = [line for line in lines if _NUMBER.fullmatch(line.text) and _at_edge(line, height)]
    numbers = [line for line in numbers if _is_outermost(line, lines)]
    known = {id(line) for line in numbers}
    return [line for line in lines if id(line) not in known], numbers


def _at_edge(line: Line, height: float) -> bool:
    return line.y1 < _ZONE * height or line.y0 > (1 - _ZONE) * height


def _is_outermost(number: Line, lines: Sequence[Line]) -> bool:
    """Whether everything else on its row lies on one side of it, and is one piece of text."""
    row = [line for line in lines if line is not number and line.y0 < number.y1 and line.y1 > number.y0]
    return len(row) <= 2 and (all(line.x0 > number.x0 for line in row) or all(line.x1 < number.x1 for line in row))
