"""A line of text with its place and look, whatever read it."""

from dataclasses import dataclass, field
from functools import cached_property

from services.transcription.pages.models import Box

_DESCENDERS = frozenset("gjpqyQ,;()[]{}|/§")
_ASCENDERS = frozenset("bdfhkltijABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789()[]{}|/!?ß§")
_SHADOW_EM = 0.3


@dataclass(slots=True)
class Line:
    """A run of text on one baseline, in points from the page's top left corner.

    `angle` is 0, 90, 180 or 270: the reading direction, clockwise. `group` tells the lines of a box apart from the
    page's own (0).
    """

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    baseline: float
    size: float
    bold: bool = False
    mono: bool = False
    angle: int = 0
    hyphen: bool = False
    group: int = 0
    math: bool = False

    @property
    def box(self) -> Box:
        """Left, top, right, bottom."""
        return (self.x0, self.y0, self.x1, self.y1)


@dataclass(frozen=True)
class TextPage:
    """The lines of a page in the order its file draws them, and the names of its fonts (some of them may lack)."""

    width: float
    height: float
    lines: list[Line] = field(default_factory=list)
    raw: str = ""
    fonts: frozenset[bytes] = frozenset()

    @cached_property
    def body_size(self) -> float:
        """The font size that most characters of the page have; 10 for an empty page."""
        weights: dict[float, int] = {}
        for line in self.lines:
            weights[line.size] = weights.get(line.size, 0) + len(line.text)
        return max(weights, key=lambda size: (weights[size], -size)) if weights else 10.0


def without_shadows(lines: list[Line]) -> list[Line]:
    """The lines without those that are drawn again a little aside, as shadows are."""
    seen: dict[str, list[Line]] = {}
    for line in lines:
        others = seen.setdefault(line.text, [])
        reach = _SHADOW_EM * line.size
        if not any(abs(line.x0 - other.x0) < reach and abs(line.y0 - other.y0) < reach for other in others):
            others.append(line)
    kept = {id(line) for others in seen.values() for line in others}
    return [line for line in lines if id(line) in kept]


def font_size(text: str, height: float) -> float:
    """Font size in points from the height of a word's or line's ink, by which of its letters reach up and down."""
    letters = set(text)
    em = 0.48 + (0.24 if letters & _ASCENDERS else 0) + (0.21 if letters & _DESCENDERS else 0)
    return height / em


def has_descenders(text: str) -> bool:
    """Whether a letter of `text` reaches below the baseline."""
    return not _DESCENDERS.isdisjoint(text)


def union(boxes: list[Box]) -> Box:
    """The smallest box around `boxes` (at least one)."""
    return (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))


def inside(inner: Box, outer: Box, margin: float = 1.0) -> bool:
    """Whether the middle of `inner` lies in `outer`, grown by `margin` points."""
    x, y = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    return outer[0] - margin <= x <= outer[2] + margin and outer[1] - margin <= y <= outer[3] + margin


def area(box: Box) -> float:
    """Square points."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def overlap(one: Box, other: Box) -> float:
    """Square points that both boxes cover."""
    return area((max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])))
