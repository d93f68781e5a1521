"""Reading order of boxes on a page: columns, recursively, between what spans them.

A gutter is a vertical strip that splits a region into two sides of text. What crosses it (a title, a wide figure)
cuts the region into bands that are read from top to bottom, each band's left side before its right one.
"""

import statistics
from dataclasses import dataclass

from services.transcription.pages.models import Box

_STEP_PT = 3.0
_NARROW_PT = 30.0
_MAX_DEPTH = 5


@dataclass(frozen=True)
class Placed:
    """A box by its index in the input, and the left and right edge of the column it stands in."""

    index: int
    column: tuple[float, float]


def reading_order(boxes: list[Box], gutter_pt: float) -> list[Placed]:
    """`boxes` in reading order; a gutter is at least `gutter_pt` wide."""
    return _order(list(enumerate(boxes)), gutter_pt, 0)


_Item = tuple[int, Box]


def _order(items: list[_Item], gutter: float, depth: int) -> list[Placed]:
    if len(items) >= 4 and depth < _MAX_DEPTH:
        x = _gutter(items, gutter)
        if x is not None:
            return _columns(items, x, gutter, depth)
        parts = _apart(items)
        if len(parts) > 1:
            split = [(part, _gutter(part, gutter) if len(part) >= 4 else None) for part in parts]
            if any(x is not None for _, x in split):
                return [placed for part, _ in split for placed in _order(part, gutter, depth + 1)]
    return _rows(items)


def _rows(items: list[_Item]) -> list[Placed]:
    """One column: rows from the top, in each from the left."""
    if not items:
        return []
    column = (min(box[0] for _, box in items), max(box[2] for _, box in items))
    rows: list[list[_Item]] = []
    for item in sorted(items, key=lambda item: ((item[1][1] + item[1][3]) / 2, item[1][0], item[0])):
        if rows and _same_row(rows[-1][-1][1], item[1]):
            rows[-1].append(item)
        else:
            rows.append([item])
    return [Placed(i, column) for row in rows for i, _ in sorted(row, key=lambda item: (item[1][0], item[0]))]


def _same_row(one: Box, other: Box) -> bool:
    shared = min(one[3], other[3]) - max(one[1], other[1])
    low, high = sorted((one[3] - one[1], other[3] - other[1]))
    apart = other[0] >= one[2] - 2 or one[0] >= other[2] - 2
    return apart and shared > 0.5 * low and high < 3 * max(low, 1.0)


def _columns(items: list[_Item], x: float, gutter: float, depth: int) -> list[Placed]:
    """Bands between what crosses `x`, each left side first."""
    placed: list[Placed] = []
    for band, crossing in _bands(items, x):
        if crossing:
            placed.extend(_rows(band) if len(band) < 4 else _order(band, gutter, depth + 1))
            continue
        left = [item for item in band if item[1][2] <= x]
        right = [item for item in band if item[1][2] > x]
        sides = [left, right]
        if left and right and _shared(left, right) <= 0 and _top(right) < _top(left):
            sides.reverse()
        for side in sides:
            placed.extend(_order(side, gutter, depth + 1))
    return placed


def _shared(left: list[_Item], right: list[_Item]) -> float:
    return _overlap_y([box for _, box in left], [box for _, box in right])


def _overlap_y(left: list[Box], right: list[Box]) -> float:
    """Points of height that both sides have in common (negative: the distance between them)."""
    return min(max(b[3] for b in left), max(b[3] for b in right)) - max(
        min(b[1] for b in left), min(b[1] for b in right)
    )


def _top(items: list[_Item]) -> float:
    return min(box[1] for _, box in items)


def _bands(items: list[_Item], x: float) -> list[tuple[list[_Item], bool]]:
    """Runs of items, top to bottom, that cross `x` or do not."""
    crossing = sorted((i for i in items if i[1][0] < x < i[1][2]), key=lambda i: (i[1][1], i[1][0]))
    sides = sorted((i for i in items if not i[1][0] < x < i[1][2]), key=lambda i: (i[1][1], i[1][0]))
    bands: list[tuple[list[_Item], bool]] = []
    for cross in crossing:
        middle = (cross[1][1] + cross[1][3]) / 2
        above = [item for item in sides if (item[1][1] + item[1][3]) / 2 < middle]
        if above:
            bands.append((above, False))
            sides = sides[len(above) :] if sides[: len(above)] == above else [i for i in sides if i not in above]
        if bands and bands[-1][1]:
            bands[-1][0].append(cross)
        else:
            bands.append(([cross], True))
    if sides:
        bands.append((sides, False))
    return bands


def _gutter(items: list[_Item], width: float) -> float | None:
    """The middle of the best gutter, if the region has columns."""
    left = min(box[0] for _, box in items)
    right = max(box[2] for _, box in items)
    span = right - left
    if span < 120:
        return None
    best: tuple[float, float] | None = None
    for x in _quiet(items, left + 0.12 * span, right - 0.12 * span):
        score = _score(items, x, width)
        if score > 0 and (best is None or score > best[0]):
            best = (score, x)
    return best[1] if best else None


def _quiet(items: list[_Item], start: float, stop: float) -> list[float]:
    """The few places where least text crosses: middles of the lowest stretches of the profile."""
    count = int((stop - start) / _STEP_PT) + 1
    steps = [0.0] * (count + 1)
    for _, box in items:
        low = max(0, int((box[0] - start) / _STEP_PT) + 1)
        high = min(count, int((box[2] - start) / _STEP_PT) + 1)
        if low < high:
            steps[low] += box[3] - box[1]
            steps[high] -= box[3] - box[1]
    profile, level = [], 0.0
    for step in steps[:count]:
        level += step
        profile.append(round(level, 3))
    valleys, begin = [], 0
    for i in range(1, count + 1):
        if i == count or profile[i] != profile[begin]:
            before = profile[begin - 1] if begin else float("inf")
            after = profile[i] if i < count else float("inf")
            if profile[begin] < before and profile[begin] < after:
                valleys.append((profile[begin], begin, i))
            begin = i
    return [start + (b + e - 1) / 2 * _STEP_PT for _, b, e in sorted(valleys)[:4]]


def _score(items: list[_Item], x: float, width: float) -> float:
    """Points of height where text stands on both sides of `x`; 0 if these are no columns."""
    total = 0.0
    lines = 0
    for band, crossing in _bands(items, x):
        if crossing:
            continue
        left = [box for _, box in band if box[2] <= x]
        right = [box for _, box in band if box[2] > x]
        if len(left) < 2 or len(right) < 2 or not _is_column(left) or not _is_column(right):
            continue
        if _clearance(left, right) < width:
            continue
        shared = _overlap_y(left, right)
        if shared > 0:
            total += shared
            lines += min(len(left), len(right))
    return total if lines >= 2 else 0.0


def _clearance(left: list[Box], right: list[Box]) -> float:
    """Points between the sides; narrow things, such as a page number under the gutter, do not count."""
    starts = [box[0] for box in right if box[2] - box[0] >= _NARROW_PT]
    ends = [box[2] for box in left if box[2] - box[0] >= _NARROW_PT]
    return min(starts) - max(ends) if starts and ends else 0.0


def _is_column(boxes: list[Box]) -> bool:
    """Whether these are lines of running text: wide, and about as wide as each other."""
    left, right = min(box[0] for box in boxes), max(box[2] for box in boxes)
    if right - left < 60:
        return False
    return statistics.median(box[2] - box[0] for box in boxes) > 0.45 * (right - left)


def _apart(items: list[_Item]) -> list[list[_Item]]:
    """The region cut at every empty horizontal strip higher than two of its usual items."""
    ordered = sorted(items, key=lambda item: (item[1][1], item[1][0]))
    usual = statistics.median(box[3] - box[1] for _, box in ordered)
    parts, bottom = [[ordered[0]]], ordered[0][1][3]
    for item in ordered[1:]:
        if item[1][1] - bottom > 0.9 * usual:
            parts.append([item])
        else:
            parts[-1].append(item)
        bottom = max(bottom, item[1][3])
    return parts
