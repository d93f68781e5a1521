"""Lines and pages whose words run from right to left (Hebrew, Arabic)."""

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from services.transcription.pages.lines import Line, TextPage
from services.transcription.pages.models import Box

_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_WORD = re.compile(f"{_RIGHT_TO_LEFT.pattern}{{2,}}")
_BRACKETS = {"(": ")", "[": "]", "{": "}", "«": "»"}
_ALL = frozenset({*_BRACKETS, *_BRACKETS.values()})
_SWAPPED = str.maketrans({**_BRACKETS, **{closing: opening for opening, closing in _BRACKETS.items()}})

# Around words of the other direction the first bracket of a pair may come turned, before the space and not after it.
_CLOSED_TWICE = re.compile(r"(?<=\w)\) (?=[^()]*\w\))")

Glyph = tuple[int, tuple[float, ...]]


def has_right_to_left(text: str) -> bool:
    """Whether a letter of `text` belongs to a script that runs from right to left."""
    return not text.isascii() and _RIGHT_TO_LEFT.search(text) is not None


def is_right_to_left(text: str) -> bool:
    """Whether most letters of `text` do."""
    return not text.isascii() and 2 * len(_RIGHT_TO_LEFT.findall(text)) > sum(char.isalpha() for char in text)


def with_words_to_left(text: str, centre: Callable[[int], float]) -> str:
    """`text` with each word of these scripts in the order of reading, by the place (`centre`) of its characters.

    Some programs write the glyphs of a word as they are seen, from the left, and others as they are read.
    """
    return _WORD.sub(lambda match: _to_left(match, centre), text) if has_right_to_left(text) else text


def _to_left(word: re.Match[str], centre: Callable[[int], float]) -> str:
    places = [centre(index) for index in range(*word.span())]
    steps = [there - here for here, there in itertools.pairwise(places)]
    return word.group()[::-1] if sum(step > 0 for step in steps) > sum(step < 0 for step in steps) else word.group()


def cut_at_gaps(glyphs: Sequence[Glyph], gap_pt: float) -> list[list[Glyph]]:
    """Glyphs (offset in the text, box) parted where a strip wider than `gap_pt` holds none of them.

    Within a line words of both directions alternate, so a strip counts only if all that is right of it comes before
    all that is left of it in the text, or the other way round.
    """
    if len(glyphs) < 2:
        return [list(glyphs)] if glyphs else []
    across = sorted(glyphs, key=lambda glyph: glyph[1][0])
    reach = across[0][1][2]
    for number, (_, box) in enumerate(across[1:], start=1):
        if box[0] - reach > gap_pt:
            left, right = sorted(across[:number]), sorted(across[number:])
            if left[-1][0] < right[0][0]:
                return cut_at_gaps(left, gap_pt) + cut_at_gaps(right, gap_pt)
            if right[-1][0] < left[0][0]:
                return cut_at_gaps(right, gap_pt) + cut_at_gaps(left, gap_pt)
        reach = max(reach, box[2])
    return [list(glyphs)]


def with_paired_brackets(lines: list[Line]) -> list[Line]:
    """A page's lines with the brackets of those that run to the left turned, where most pairs stand back to back.

    Whether a file's brackets are those that are meant or those that are seen differs from program to program.
    """
    marks = "".join(char for line in lines if is_right_to_left(line.text) for char in line.text if char in _ALL)
    back_to_back = sum(_BRACKETS.get(last) == first for first, last in itertools.pairwise(marks))
    facing = sum(_BRACKETS.get(first) == last for first, last in itertools.pairwise(marks))
    swap = marks and marks[0] not in _BRACKETS and back_to_back > facing
    return [_with_brackets(line, swap=bool(swap)) if is_right_to_left(line.text) else line for line in lines]


def _with_brackets(line: Line, *, swap: bool) -> Line:
    text = line.text.translate(_SWAPPED) if swap else line.text
    return replace(line, text=_CLOSED_TWICE.sub(" (", text))


def runs_to_left(text: TextPage) -> bool:
    """Whether a page is read from its right edge."""
    return is_right_to_left(text.raw or "".join(line.text for line in text.lines))


def mirrored(box: Box, width: float) -> Box:
    """A box as a mirror shows it: what is read from the right begins on the left. Mirrored twice it is as before."""
    return (width - box[2], box[1], width - box[0], box[3])


def mirrored_line(line: Line, width: float) -> Line:
    """A line likewise; its text stays."""
    x0, _, x1, _ = mirrored(line.box, width)
    return replace(line, x0=x0, x1=x1)
