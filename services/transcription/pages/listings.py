"""Listings: lines of code in a typewriter's font, with their indentation and empty lines."""

import itertools
import re
import statistics
from collections.abc import Sequence

from services.transcription.pages.lines import Line

_CODE = re.compile(
    r"[;{}]\s*$|[=<>]=|\w\(|\w\[|->|=>|::|^\s*[#@$>%/\\]|//|^\s*[}\])]|\s[=|&]\s|:\s*$|\b(?:return|import|def|else|end)\b"
)
_MAX_INDENT = 60


def is_listing(lines: Sequence[Line]) -> bool:
    """Whether a run of lines is code (or what a program prints) and not text of a typewriter."""
    if not all(line.mono for line in lines):
        return False
    code = sum(_CODE.search(line.text) is not None for line in lines)
    if len(lines) == 1:
        return code == 1 and not lines[0].text.endswith(".")
    return code >= 0.4 * len(lines) or (_indents(lines) >= 2 and code >= 0.2 * len(lines))


def listing_text(lines: Sequence[Line]) -> str:
    """The lines with the blanks before them and the empty lines between them, from where they stand."""
    width = _advance(lines)
    left = min(line.x0 for line in lines)
    steps = [b.baseline - a.baseline for a, b in itertools.pairwise(lines)]
    usual = min(steps, default=0.0)
    text = []
    for line, step in zip(lines, [0.0, *steps], strict=True):
        empty = max(0, round(step / usual) - 1) if usual > 0 else 0
        indent = min(_MAX_INDENT, round((line.x0 - left) / width))
        text += [""] * empty + [" " * indent + line.text + ("-" if line.hyphen else "")]
    return "\n".join(text)


def is_row_of_code(one: Line, other: Line) -> bool:
    """Whether two pieces of a row are of one line of code, or `one` is its number, in whatever font."""
    return other.mono and (one.mono or one.text.isdecimal())


def blanks_between(one: Line, other: Line) -> str:
    """The blanks between two pieces of a line of code."""
    width = _advance([max(one, other, key=lambda line: len(line.text))])
    return " " * max(1, min(_MAX_INDENT, round((other.x0 - one.x1) / width)))


def _advance(lines: Sequence[Line]) -> float:
    """The width of a character in points, from the longest lines; the ink of a line ends before its last one does."""
    longest = sorted(lines, key=lambda line: -len(line.text))[:3]
    widths = [(line.x1 - line.x0) / (len(line.text) - 0.2) for line in longest]
    return max(0.1, statistics.median(widths))


def _indents(lines: Sequence[Line]) -> int:
    width = _advance(lines)
    return len({round(line.x0 / width) for line in lines})
