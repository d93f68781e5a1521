"""Figures and boxes of a page, from what is drawn on it and the text that stands there."""

import re
from dataclasses import dataclass

from services.transcription.pages.graphics import Graphics
from services.transcription.pages.lines import Line, TextPage, area, inside, overlap, union
from services.transcription.pages.models import Box

CAPTION = re.compile(
    r"^(?:(?:figure|fig\.?|table|tab\.?|listing|algorithm|chart|plate|scheme|abbildung|abb\.|tabelle|tableau)\s*)"
    r"(?:[A-Z]?\d+(?:[.\-]\d+)*|[IVX]+)\s*(?:[.:|—–]|\s-\s|\s(?-i:[A-ZÀ-Þ])|$)",
    re.IGNORECASE,
)
_CELL_PT = 6.0
_MIN_WIDTH_PT, _MIN_HEIGHT_PT = 48.0, 36.0  # smaller pictures are icons and ornaments
_LABEL_REACH_PT = 8.0
_EDGE_PT = 1.5
_BAR = 0.2  # of the page's height
_ON_GROUND = 0.03  # of a picture: where more of it is text, it is what that text stands on


@dataclass(frozen=True)
class Regions:
    """`figures` to be cut out as pictures; `asides`: framed or tinted boxes whose text is read as a unit."""

    figures: list[Box]
    asides: list[Box]


def find_regions(graphics: Graphics, text: TextPage, tables: list[Box]) -> Regions:
    """The figures and boxes of a page, leaving out what belongs to `tables`."""
    figures: list[Box] = []
    asides: list[Box] = []
    for part in _parts(graphics, text, tables):
        lines = [line for line in text.lines if inside(line.box, part.box)]
        if part.is_figure(lines, text.body_size):
            figures.append(part.box)
        elif part.frames and _is_aside(part.box, lines, text):
            asides.append(part.box)
    figures += [box for box in graphics.backgrounds if _is_beside_its_text(box, text, tables)]
    grown = [_with_labels(box, text) for box in _merged(figures)]
    asides = [box for box in asides if not any(overlap(box, figure) > 0.5 * area(box) for figure in grown)]
    return Regions(figures=_merged(grown), asides=_outermost(asides))


@dataclass
class _Part:
    """Drawings that touch each other."""

    box: Box
    images: int = 0
    marks: int = 0
    frames: int = 0

    def is_figure(self, lines: list[Line], body: float) -> bool:
        if self.box[2] - self.box[0] < _MIN_WIDTH_PT or self.box[3] - self.box[1] < _MIN_HEIGHT_PT:
            return False
        wordy = sum(len(line.text.split()) >= 6 for line in lines)
        covered = sum(overlap(line.box, self.box) for line in lines) / max(1.0, area(self.box))
        if wordy >= 3 or covered > 0.4 or any(line.size > 1.4 * body for line in lines):
            return False
        if not (self.images or self.marks) and any(len(line.text.split()) >= 4 for line in lines):
            return False  # fields of a form, or boxes with sentences in them
        drawn = self.marks + self.frames
        alone = self.marks > 0 and not lines  # a single shape, but no text on it: a drawing, not a tinted box
        return self.images > 0 or drawn >= 3 or alone


def _parts(graphics: Graphics, text: TextPage, tables: list[Box]) -> list[_Part]:
    """Drawings grouped by nearness on a coarse grid (linear in their number)."""
    page = (0.0, 0.0, text.width, text.height)
    kinds = [("images", graphics.images), ("marks", graphics.marks), ("frames", graphics.frames)]
    boxes = [
        (kind, box)
        for kind, found in kinds
        for box in found
        if area(box) < 0.6 * area(page)
        and not any(inside(box, table, 2) for table in tables)
        and not (kind == "frames" and _is_bar(box, page))
    ]
    grid = _Grid(text.width, text.height)
    for _, box in boxes:
        grid.fill(box)
    labels = grid.components()
    parts: dict[int, _Part] = {}
    for kind, box in boxes:
        label = labels[grid.cell(box)]
        part = parts.setdefault(label, _Part(box))
        part.box = union([part.box, box])
        setattr(part, kind, getattr(part, kind) + 1)
    rules = graphics.rules_across + graphics.rules_down
    for part in parts.values():
        touching = [rule for rule in rules if _touch(rule, part.box) and rule[2] - rule[0] < 0.95 * text.width]
        if part.marks >= 3 and touching:
            part.box = union([part.box, *touching])
    return [parts[label] for label in sorted(parts)]


def _is_beside_its_text(picture: Box, text: TextPage, tables: list[Box]) -> bool:
    """Whether a picture of most of the page is a figure: its text stands beside it, and little of it on it."""
    on = [line for line in text.lines if inside(line.box, picture)]
    chars_on = sum(len(line.text) for line in on)
    chars_beside = sum(len(line.text) for line in text.lines) - chars_on
    if chars_on >= chars_beside or any(inside(table, picture) for table in tables):
        return False
    covered = sum(overlap(line.box, picture) for line in on)
    return covered < _ON_GROUND * area(picture) and _Part(picture, images=1).is_figure(on, text.body_size)


def _is_bar(box: Box, page: Box) -> bool:
    """Whether a frame is a strip along an edge of the page: what titles and running feet of slides stand on."""
    at_side = box[0] - page[0] < _EDGE_PT or page[2] - box[2] < _EDGE_PT
    at_end = box[1] - page[1] < _EDGE_PT or page[3] - box[3] < _EDGE_PT
    low = box[3] - box[1] < _BAR * (page[3] - page[1])
    return low and (at_end or at_side)


class _Grid:
    """Which cells of a page hold drawings."""

    def __init__(self, width: float, height: float) -> None:
        self._columns = int(width / _CELL_PT) + 2
        self._rows = int(height / _CELL_PT) + 2
        self._filled: set[int] = set()

    def cell(self, box: Box) -> int:
        """The cell of a box's top left corner."""
        return int(box[1] / _CELL_PT) * self._columns + int(box[0] / _CELL_PT)

    def fill(self, box: Box) -> None:
        """Mark the cells under a box."""
        left, right = int(box[0] / _CELL_PT), int(box[2] / _CELL_PT)
        for row in range(int(box[1] / _CELL_PT), int(box[3] / _CELL_PT) + 1):
            self._filled.update(range(row * self._columns + left, row * self._columns + right + 1))

    def components(self) -> dict[int, int]:
        """The number of its connected component for each filled cell."""
        labels: dict[int, int] = {}
        around = [dx + dy * self._columns for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
        for start in sorted(self._filled):
            if start in labels:
                continue
            labels[start] = start
            stack = [start]
            while stack:
                here = stack.pop()
                for step in around:
                    there = here + step
                    if there in self._filled and there not in labels:
                        labels[there] = start
                        stack.append(there)
        return labels


def _is_aside(box: Box, lines: list[Line], text: TextPage) -> bool:
    """Whether a frame holds several lines of text, but not (almost) all of the page's."""
    return (
        2 <= len(lines) < 0.85 * len(text.lines)
        and box[3] - box[1] > 2.2 * text.body_size
        and sum(len(line.text) for line in lines) > 30
    )


def _with_labels(box: Box, text: TextPage) -> Box:
    """A figure's box with the short texts beside it, such as the labels of an axis."""
    for _ in range(2):
        reach = (box[0] - _LABEL_REACH_PT, box[1] - _LABEL_REACH_PT, box[2] + _LABEL_REACH_PT, box[3] + _LABEL_REACH_PT)
        labels = [line.box for line in text.lines if overlap(line.box, reach) > 0 and _is_label(line, box, text)]
        box = union([box, *labels])
    return box


def _is_label(line: Line, box: Box, text: TextPage) -> bool:
    if inside(line.box, box):
        return True
    beside = line.y0 > box[1] - 2 and line.y1 < box[3] + 2
    small = line.size < 0.95 * text.body_size
    words = len(line.text.split())
    return not CAPTION.match(line.text) and words <= 4 and (small or (beside and words <= 2))


def _touch(one: Box, other: Box, reach: float = 4.0) -> bool:
    return (
        one[0] <= other[2] + reach
        and one[2] >= other[0] - reach
        and one[1] <= other[3] + reach
        and one[3] >= other[1] - reach
    )


def _merged(boxes: list[Box]) -> list[Box]:
    """Boxes with those that overlap made one, top to bottom."""
    left = sorted(boxes, key=lambda box: (box[1], box[0]))
    done: list[Box] = []
    while left:
        box = left.pop(0)
        near = [other for other in left if _touch(box, other)]
        if near:
            left = [other for other in left if other not in near]
            left.insert(0, union([box, *near]))
        else:
            done.append(box)
    return done


def _outermost(boxes: list[Box]) -> list[Box]:
    return [box for box in boxes if not any(box != o and area(o) > area(box) and inside(box, o) for o in boxes)]
