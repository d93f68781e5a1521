"""Pages whose text runs sideways, or in columns from the top, without the page saying so."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from services.transcription.pages.lines import Line, TextPage
from services.transcription.pages.models import Box

Turn = Callable[[Box], Box]
_EAST_ASIAN = re.compile("[\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef]")


@dataclass(frozen=True)
class Upright:
    """A page turned so that its text runs from left to right, and the way back for boxes."""

    text: TextPage
    turned: bool
    back: Turn


def runs_down(text: str, box: Box) -> bool:
    """Whether upright East Asian characters stand below each other, as in a line that is read from the top."""
    letters = len(_EAST_ASIAN.findall(text))
    return 2 * letters >= len(text) > 1 and box[3] - box[1] > 0.75 * len(text) * (box[2] - box[0])


def upright(text: TextPage) -> Upright:
    """`text` with only the lines in the page's main direction, turned to run from left to right.

    Stamps along a margin and the labels of vertical axes run another way; they are no part of the text.
    """
    directions = Counter[int]()
    for line in text.lines:
        directions[line.angle] += len(line.text)
    if directions[90] > directions[0]:  # a column of one character does not show which way it runs
        lone = [line for line in text.lines if line.angle == 0 and len(line.text) == 1 and _EAST_ASIAN.match(line.text)]
        text = replace(text, lines=[replace(line, angle=90) if line in lone else line for line in text.lines])
    main = max(directions, key=lambda angle: (directions[angle], -angle)) if directions else 0
    lines = [line for line in text.lines if line.angle == main]
    width, height = text.width, text.height
    there, back = _turns(main, width, height)
    if main:
        lines = [_turned(line, there(line.box)) for line in lines]
    if main in {90, 270}:
        width, height = height, width
    return Upright(TextPage(width=width, height=height, lines=lines, raw=text.raw), turned=main != 0, back=back)


def _turned(line: Line, box: Box) -> Line:
    x0, y0, x1, y1 = box
    return replace(line, x0=x0, y0=y0, x1=x1, y1=y1, baseline=round(y1 - 0.2 * line.size, 1), angle=0)


def _turns(angle: int, width: float, height: float) -> tuple[Turn, Turn]:
    """The mapping of boxes from the page to upright text that read in direction `angle`, and its inverse."""
    turns: dict[int, tuple[Turn, Turn]] = {
        0: (lambda b: b, lambda b: b),
        90: (
            lambda b: (b[1], width - b[2], b[3], width - b[0]),
            lambda b: (width - b[3], b[0], width - b[1], b[2]),
        ),
        180: (
            lambda b: (width - b[2], height - b[3], width - b[0], height - b[1]),
            lambda b: (width - b[2], height - b[3], width - b[0], height - b[1]),
        ),
        270: (
            lambda b: (height - b[3], b[0], height - b[1], b[2]),
            lambda b: (b[1], height - b[2], b[3], height - b[0]),
        ),
    }
    return turns[angle]
