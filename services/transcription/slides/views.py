"""Small grey pictures of the screen and how two of them relate.

Own method, after measuring that scene detectors miss most slide changes: pictures of 320x180 are compared in blocks
of 10x10 pixels, blocks in constant motion are masked, and a picture whose ink holds the other's is a build of it.
"""

import base64
import zlib
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from services.transcription.slides.values import Fingerprint

WIDTH, HEIGHT, BLOCK = 320, 180, 10
ROWS, COLUMNS = HEIGHT // BLOCK, WIDTH // BLOCK

Grey = npt.NDArray[np.uint8]
"""(180, 320), 0 black to 255 white."""
Blocks = npt.NDArray[np.bool_]
"""(18, 32), one flag for each block of 10x10 pixels."""

PIXEL_STEP = 24  # grey levels; ringing of a low bitrate stays under 20 at this size, grey text on white is above 60
BLOCK_SHARE = 0.05  # of a block's pixels; the thin strokes of small text cover 10 to 30 %
CHANGED_BLOCKS = 4  # a short word covers 3 to 6
POINTER_SIDE = 2  # blocks: a mouse pointer fits into 2x2
POINTER_PLACES = 3  # where it was, where it is, and a trace of compression
INK_STEP = 30  # grey levels between neighbouring pixels
BLANK_SHARE = 0.0012  # of the picture's pixels: less ink than one short word
ALIKE = 0.8  # correlation of two blocks; a blurred one stays above it, of other text in the same place 70 % are below
MIN_SPREAD = 20.0  # variance of grey levels: less is a flat block
SCROLL = 40  # rows that a page may move up or down and still be the page
SCROLL_MATCH = 0.84  # correlation of edges; two slides of a template stay under 0.79, half a pixel off is above 0.88
LOST_INK = 0.12  # of the ink: another slide of a template, however heavy, loses 0.13 and more
LOST_CHANGE = 0.4  # of what changed: a part of a drawing that is highlighted loses its old outline

_KERNEL = np.ones((3, 3), np.uint8)


class Relation(Enum):
    """How a second view relates to a first one."""

    SAME = "same"
    BUILD = "build"  # the second holds all of the first, and more
    REDUCED = "reduced"  # the first holds all of the second, and more
    DIFFERENT = "different"


@dataclass(frozen=True)
class View:
    """What was on screen, without the blocks that were in motion."""

    grey: Grey
    busy: Blocks

    @cached_property
    def ink(self) -> npt.NDArray[np.bool_]:
        """(180, 320): where there is an edge, outside blocks in motion."""
        spread = cv2.morphologyEx(self.grey, cv2.MORPH_GRADIENT, _KERNEL)
        return (spread > INK_STEP) & ~_pixels(self.busy)

    @property
    def ink_share(self) -> float:
        """Share of the picture's pixels that are ink."""
        return float(self.ink.mean())

    @property
    def is_blank(self) -> bool:
        """Whether nothing is shown: black, blue, an empty template."""
        return self.ink_share < BLANK_SHARE


def changed_blocks(first: Grey, second: Grey) -> Blocks:
    """Blocks in which more than 5 % of the pixels differ clearly."""
    differs = cv2.threshold(cv2.absdiff(first, second), PIXEL_STEP, 255, cv2.THRESH_BINARY)[1]
    share = cv2.resize(differs, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
    return np.asarray(share > BLOCK_SHARE * 255)


def without_pointer(changed: Blocks) -> Blocks:
    """The changed blocks but for a few spots of the size of a mouse pointer."""
    if not changed.any():
        return changed
    count, labels, stats, _ = cv2.connectedComponentsWithStats(changed.astype(np.uint8), connectivity=8)
    small = [i for i in range(1, count) if stats[i][2] <= POINTER_SIDE and stats[i][3] <= POINTER_SIDE]
    spots = sorted(small, key=lambda i: -int(stats[i][4]))[:POINTER_PLACES]
    return np.asarray(changed & ~np.isin(labels, spots))


def relate(first: View, second: View, *, changed_limit: int = CHANGED_BLOCKS) -> Relation:
    """How `second` relates to `first`, leaving out what moved in either."""
    changed = without_pointer(changed_blocks(first.grey, second.grey) & ~first.busy & ~second.busy)
    if changed.sum() < changed_limit:
        return Relation.SAME
    changed = without_pointer(changed & ~_alike(first.grey, second.grey))
    if changed.sum() < changed_limit:
        return Relation.SAME
    differs = (cv2.absdiff(first.grey, second.grey) > PIXEL_STEP) & _pixels(changed)
    kept_first = _keeps(first.ink, differs)
    kept_second = _keeps(second.ink, differs)
    if kept_first and (not kept_second or second.ink_share >= first.ink_share):
        return Relation.BUILD
    return Relation.REDUCED if kept_second else Relation.DIFFERENT


def is_scrolled(first: View, second: View) -> bool:
    """Whether the second is the first moved up or down by less than a quarter of the screen."""
    if first.ink[SCROLL : HEIGHT - SCROLL].mean() < BLANK_SHARE:
        return False
    # Steps from row to row: bars and panels beside the text, which match whatever is shown, have none.
    rows, other = (cv2.GaussianBlur(cv2.Sobel(v.grey, cv2.CV_32F, 0, 1), (3, 3), 0) for v in (first, second))
    match = cv2.matchTemplate(other, rows[SCROLL : HEIGHT - SCROLL], cv2.TM_CCOEFF_NORMED)
    return float(match.max()) > SCROLL_MATCH


def is_mixture(before: View, view: View, after: View) -> bool:
    """Whether each pixel lies between those before and after, as in a cross-fade or a wipe, and some come of both."""
    still = ~_pixels(before.busy | view.busy | after.busy)
    first, grey, last = (v.grey[still].astype(np.int16) for v in (before, view, after))
    low, high = np.minimum(first, last) - PIXEL_STEP, np.maximum(first, last) + PIXEL_STEP
    outside = (grey < low) | (grey > high)
    from_first, from_last = np.abs(grey - first) > PIXEL_STEP, np.abs(grey - last) > PIXEL_STEP
    few = CHANGED_BLOCKS * BLOCK_SHARE * BLOCK * BLOCK
    return bool(outside.sum() < few and from_first.sum() > few and from_last.sum() > few)


def encode(view: View) -> Fingerprint:
    """The view as text: 32 grey levels are below what `relate` sees."""
    grey = zlib.compress((view.grey >> 3).tobytes(), 6)
    return Fingerprint(
        grey=base64.b64encode(grey).decode("ascii"),
        busy=base64.b64encode(np.packbits(view.busy).tobytes()).decode("ascii"),
    )


def decode(fingerprint: Fingerprint) -> View:
    """The view of a fingerprint, to within 4 grey levels."""
    raw = zlib.decompress(base64.b64decode(fingerprint.grey))
    grey = (np.frombuffer(raw, np.uint8).reshape(HEIGHT, WIDTH) << 3) | 4
    bits = np.frombuffer(base64.b64decode(fingerprint.busy), np.uint8)
    return View(
        grey.astype(np.uint8), np.unpackbits(bits, count=ROWS * COLUMNS).reshape(ROWS, COLUMNS).astype(np.bool_)
    )


def hull(active: Blocks) -> Blocks:
    """Rectangles around the connected parts of `active`, one block wider: a webcam with the edge of its speaker."""
    if not active.any():
        return active
    grown = cv2.dilate(active.astype(np.uint8), _KERNEL)
    count, _, stats, _ = cv2.connectedComponentsWithStats(grown, connectivity=8)
    covered = np.zeros((ROWS, COLUMNS), np.bool_)
    for left, top, width, height, _ in stats[1:count]:
        covered[top : top + height, left : left + width] = True
    return covered


def _alike(first: Grey, second: Grey) -> Blocks:
    """Blocks with the same drawing, sharper in one or dimmed: their pixels correlate."""
    a, b = (cv2.GaussianBlur(grey, (3, 3), 0).astype(np.float32) for grey in (first, second))
    mean_a, mean_b, mean_aa, mean_bb, mean_ab = (
        cv2.resize(pixels, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA) for pixels in (a, b, a * a, b * b, a * b)
    )
    spread_a, spread_b = mean_aa - mean_a**2, mean_bb - mean_b**2
    drawn = (spread_a > MIN_SPREAD) & (spread_b > MIN_SPREAD)
    return np.asarray(drawn & (mean_ab - mean_a * mean_b > ALIKE * np.sqrt(np.maximum(spread_a * spread_b, 0))))


def _keeps(ink: npt.NDArray[np.bool_], differs: npt.NDArray[np.bool_]) -> bool:
    """Whether the ink survived: little of it changed, and little of the change lies on it."""
    lost = int((ink & differs).sum())
    return lost <= LOST_INK * int(ink.sum()) and lost <= LOST_CHANGE * int(differs.sum())


def _pixels(blocks: Blocks) -> npt.NDArray[np.bool_]:
    return np.repeat(np.repeat(blocks, BLOCK, axis=0), BLOCK, axis=1)
