"""Pages that show several slides, each in a frame of the same size: read row by row, unlike columns of text."""

import itertools
from collections.abc import Sequence

from services.transcription.pages.models import Box

_SAME_PT = 6.0
_LEAST = 3


def rows_of_frames(frames: Sequence[Box]) -> list[int] | None:
    """The indices of `frames` row by row where they are a grid of equal ones; None where they are not."""
    if len(frames) < _LEAST or not all(_is_as_large(frame, frames[0]) for frame in frames):
        return None
    ordered = sorted(range(len(frames)), key=lambda index: frames[index][1])
    rows = [[ordered[0]]]
    for one, other in itertools.pairwise(ordered):
        if frames[other][1] - frames[one][1] > _SAME_PT:
            rows.append([])
        rows[-1].append(other)
    sides = [sorted(frames[index][0] for index in row) for row in rows]
    aligned = all(abs(a - b) <= _SAME_PT for row in sides for a, b in zip(row, sides[0], strict=False))
    full = len(rows[0]) > 1 and len(rows) > 1 and all(len(row) == len(rows[0]) for row in rows[:-1])
    if not aligned or not full or len(rows[-1]) > len(rows[0]):
        return None
    return [index for row in rows for index in sorted(row, key=lambda index: frames[index][0])]


def _is_as_large(one: Box, other: Box) -> bool:
    return all(abs((one[i + 2] - one[i]) - (other[i + 2] - other[i])) <= _SAME_PT for i in (0, 1))
