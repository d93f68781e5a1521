"""Tells a slide whose numbers became others from a pointer, which changes as little of the picture."""

import re
from collections.abc import Sequence

import cv2
import numpy as np

from services.transcription.slides.arrangement import shares_row
from services.transcription.slides.values import TextLine
from services.transcription.slides.views import (
    COLUMNS,
    HEIGHT,
    PIXEL_STEP,
    ROWS,
    WIDTH,
    Blocks,
    View,
    changed_blocks,
)

MOST_BLOCKS = 16  # three numbers of two blocks by two, and a pointer; more is a change of another kind
LEAST_INK = 4  # pixels of a spot, before and after: what comes over the background had none there before
INSIDE = 0.85  # of the changed pixels about a number lie within its line of text; a pointer reaches beyond it
BESIDE = 2.0  # pixels that a changed number may lie outside its line's box
NEAR = 0.06  # of the picture's width, between where a number should stand in its line and where the picture changed
SAME_START = 0.03  # of the picture's width, between the left edges of a line in two pictures
FOOTER = 0.85  # of the picture's height: below stand counters of pages
EDGE, TOP = 0.2, 0.12  # of the picture: what lies wholly in an upper corner is furniture
_NUMBER = re.compile(r"\d+")
_COUNTER = re.compile(r"[^\w]*#(?:[^\w]*#)*[^\w=?]*|.*#\s*[:/%]\s*#?.*|.*#\s*(?:of|von|de)\s*#.*", re.IGNORECASE)


def small_changes(first: View, second: View) -> Blocks:
    """The few blocks in which drawing became other drawing: a number that changed, or a pointer over text."""
    changed = changed_blocks(first.grey, second.grey) & ~first.busy & ~second.busy
    nothing = np.zeros((ROWS, COLUMNS), np.bool_)
    if not 0 < changed.sum() <= MOST_BLOCKS:
        return nothing
    count, labels = cv2.connectedComponents(changed.astype(np.uint8), connectivity=8)
    inks = [
        cv2.resize(v.ink.astype(np.float32), (COLUMNS, ROWS), interpolation=cv2.INTER_AREA) for v in (first, second)
    ]
    area = (HEIGHT // ROWS) * (WIDTH // COLUMNS)
    drawn = [i for i in range(1, count) if all(ink[labels == i].sum() * area >= LEAST_INK for ink in inks)]
    return np.asarray(np.isin(labels, drawn)) if drawn else nothing


def is_reworded(first: View, first_lines: Sequence[TextLine], second: View, second_lines: Sequence[TextLine]) -> bool:
    """Whether a line of text has another number, and the pictures differ at that number and within the line.

    Clocks, shares and counters of pages are no text of the slide.
    """
    spots = small_changes(first, second)
    if not spots.any():
        return False
    pairs = [(a, b) for a in first_lines for b in second_lines if _same_place(a, b)]
    return any(_differs_at(a, b, number, spots, first, second) for a, b in pairs for number in _changed(a, b))


def _same_place(first: TextLine, second: TextLine) -> bool:
    return shares_row(first, second) and abs(first.x0 - second.x0) < SAME_START


def _changed(first: TextLine, second: TextLine) -> list[tuple[float, float]]:
    """Where numbers differ in lines that say the same otherwise, as shares of the line's length."""
    if _plain(first.text) != _plain(second.text) or _is_counter(first):
        return []
    pairs = zip(_NUMBER.finditer(first.text), _NUMBER.finditer(second.text), strict=True)
    length = len(first.text)
    return [(a.start() / length, a.end() / length) for a, b in pairs if a[0] != b[0]]


def _plain(text: str) -> str:
    return _NUMBER.sub("#", "".join(text.casefold().split()))


def _is_counter(line: TextLine) -> bool:
    in_corner = line.y0 < TOP and (line.x1 < EDGE or line.x0 > 1 - EDGE)
    return in_corner or line.y0 > FOOTER or _COUNTER.fullmatch(_NUMBER.sub("#", line.text)) is not None


def _differs_at(
    first: TextLine, second: TextLine, number: tuple[float, float], spots: Blocks, before: View, after: View
) -> bool:
    """Whether what changed about the number lies within the line of text."""
    x0, x1, length = min(first.x0, second.x0), max(first.x1, second.x1), first.x1 - first.x0
    left, right = (max(x0, first.x0 + number[0] * length - NEAR), min(x1, first.x0 + number[1] * length + NEAR))
    columns = slice(max(0, int(left * WIDTH - BESIDE)), int(right * WIDTH + BESIDE) + 1)
    top, bottom = (min(first.y0, second.y0) * HEIGHT - BESIDE, max(first.y1, second.y1) * HEIGHT + BESIDE)
    differs = cv2.absdiff(before.grey, after.grey) > PIXEL_STEP
    differs &= cv2.resize(spots.astype(np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST) > 0
    whole = differs[max(0, int(top) - HEIGHT // ROWS) : int(bottom) + HEIGHT // ROWS, columns]
    inside = differs[max(0, round(top)) : round(bottom), columns]
    return bool(inside.sum() >= LEAST_INK and inside.sum() >= INSIDE * whole.sum())
