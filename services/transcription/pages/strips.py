"""Pictures that a program stored in strips, one below the other, as scanners' programs do."""

from services.transcription.pages.lines import union
from services.transcription.pages.models import Box

_LEAST_WIDTH = 0.6  # of the page: narrower pictures below each other are no page in strips
_APART_PT = 1.5


def in_whole(images: list[Box], page_width: float) -> list[tuple[Box, list[Box]]]:
    """The box of each picture that is two strips or more, with its strips."""
    wide = [box for box in images if box[2] - box[0] >= _LEAST_WIDTH * page_width]
    found: list[list[Box]] = []
    for box in sorted(wide, key=lambda box: (round(box[0]), box[1])):
        if found and _goes_on(found[-1][-1], box):
            found[-1].append(box)
        else:
            found.append([box])
    return [(union(strips), strips) for strips in found if len(strips) > 1]


def _goes_on(above: Box, below: Box) -> bool:
    same_sides = abs(above[0] - below[0]) <= _APART_PT and abs(above[2] - below[2]) <= _APART_PT
    return same_sides and abs(below[1] - above[3]) <= _APART_PT
