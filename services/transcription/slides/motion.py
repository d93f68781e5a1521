"""Which parts of the screen are in motion around each sample: a slide that changes, or a webcam that always moves."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from services.transcription.slides.views import COLUMNS, ROWS, Blocks, Grey, changed_blocks, hull

WINDOW_S = 20.0  # before and after: how long a block is watched to tell a webcam from a change of slides
BUSY_SHARE = 0.3  # of that time; slides leafed through every 2 seconds move for a quarter of it
LAG_S = 0.5  # what is compared to see motion; a slow dissolve changes 25 levels in that time
DRIFT_LAG_S = 3.0  # what is compared to see motion too slow for that: a webcam's light, a fade of 8 seconds
DRIFT_SHARE = 0.5  # of the watched time, and
DRIFT_AREA = 0.33  # of the screen: a webcam is smaller, slides that fade one into the other are larger
DRIFT_S = 15.0  # altogether: in motion for that long is a webcam, for less an animation on a slide


@dataclass(frozen=True)
class Sample:
    """The screen at a time, and its blocks that changed, that change slowly, and that are in motion for long."""

    time_s: float
    grey: Grey
    active: Blocks
    drifting: Blocks
    busy: Blocks


def watch_motion(samples: Iterable[Grey], start_s: float, fps: int) -> Iterator[Sample]:
    """Adds to each sample which blocks changed and which ones are in motion around that time."""
    reach, motion = round(WINDOW_S * fps), _Motion(fps)
    waiting: deque[Sample] = deque()
    active, moving = _Window(2 * reach), _Window(2 * reach)
    for i, grey in enumerate(samples):
        changed, drifting = motion.of(grey)
        active.add(changed)
        moving.add(changed | drifting)
        waiting.append(Sample(start_s + i / fps, grey, changed, drifting, drifting))
        if len(waiting) > reach:
            yield replace(waiting.popleft(), busy=_busy(active, moving, fps))
    while waiting:
        yield replace(waiting.popleft(), busy=_busy(active, moving, fps))


def _busy(active: "_Window", moving: "_Window", fps: int) -> Blocks:
    """Rectangles around the blocks in motion for long: quickly, or slowly in a part of the screen only."""
    quickly = active.at_least(max(4.0, BUSY_SHARE * len(active.window)))
    slowly = hull(moving.at_least(max(1.0, DRIFT_S * fps, DRIFT_SHARE * len(moving.window))))
    return hull(quickly) if slowly.mean() > DRIFT_AREA else hull(quickly) | slowly


class _Motion:
    """Compares each sample with the one half a second before it and with the one 3 seconds before it."""

    def __init__(self, fps: int) -> None:
        self.lag, self.drift_lag = max(1, round(LAG_S * fps)), max(1, round(DRIFT_LAG_S * fps))
        self.before: deque[Grey] = deque(maxlen=self.drift_lag)
        self.since_active = np.zeros((ROWS, COLUMNS), np.int32)  # samples

    def of(self, grey: Grey) -> tuple[Blocks, Blocks]:
        """The blocks that changed, and those that did so too slowly to be among them at any time of the 3 seconds."""
        before, nothing = self.before, np.zeros((ROWS, COLUMNS), np.bool_)
        active = changed_blocks(before[-min(self.lag, len(before))], grey) if before else nothing
        self.since_active += 1
        self.since_active[active] = 0
        drifting = nothing
        if len(before) == self.drift_lag:
            drifting = changed_blocks(before[0], grey) & (self.since_active >= self.drift_lag)
        before.append(grey)
        return active, drifting


class _Window:
    """In how many of the last `length` samples each block was in motion."""

    def __init__(self, length: int) -> None:
        self.window: deque[Blocks] = deque(maxlen=length)
        self.totals = np.zeros((ROWS, COLUMNS), np.int32)

    def add(self, blocks: Blocks) -> None:
        if len(self.window) == self.window.maxlen:
            self.totals -= self.window[0]
        self.window.append(blocks)
        self.totals += blocks

    def at_least(self, count: float) -> Blocks:
        """The blocks in motion in that many samples."""
        return np.asarray(self.totals >= count)
