"""From samples of the screen to the pictures that stood still, in one pass with bounded memory."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from services.transcription.slides.views import (
    COLUMNS,
    ROWS,
    Blocks,
    Grey,
    Relation,
    View,
    changed_blocks,
    hull,
    relate,
    without_pointer,
)

WINDOW_S = 20.0  # before and after: how long a block is watched to tell a webcam from a change of slides
BUSY_SHARE = 0.3  # of that time; slides leafed through every 2 seconds move for a quarter of it
MOVING_BLOCKS = 3  # beside a pointer; fewer is a trace of compression
LAG_S = 0.5  # what is compared to see motion; a slow dissolve changes 25 levels in that time
SETTLE_S = 2.0  # a coarse first picture of a low bitrate video sharpens within that time
LONG_TRANSITION_S = 2.5


@dataclass(frozen=True)
class Still:
    """A picture that stood on screen from `start_s` to `end_s`. `seen_s` is when its view was taken."""

    start_s: float
    end_s: float
    seen_s: float
    view: View


@dataclass(frozen=True)
class _Sample:
    time_s: float
    grey: Grey
    active: Blocks
    busy: Blocks


def find_stills(samples: Iterable[Grey], *, start_s: float, fps: int, stable_s: float) -> Iterator[Still]:
    """Yields what stood still for at least `stable_s`, in order; `samples` come `fps` a second from `start_s` on."""
    finder = _Finder(fps, stable_s)
    for sample in _masked(samples, start_s, fps):
        if (done := finder.take(sample)) is not None:
            yield done
    if finder.current is not None:
        yield finder.current


def _masked(samples: Iterable[Grey], start_s: float, fps: int) -> Iterator[_Sample]:
    """Adds to each sample which blocks changed and which ones are in motion around that time."""
    lag, reach = max(1, round(LAG_S * fps)), round(WINDOW_S * fps)
    before: deque[Grey] = deque(maxlen=lag)
    waiting: deque[_Sample] = deque()
    window: deque[Blocks] = deque(maxlen=2 * reach)
    totals = np.zeros((ROWS, COLUMNS), np.int32)
    nothing = np.zeros((ROWS, COLUMNS), np.bool_)
    for i, grey in enumerate(samples):
        active = changed_blocks(before[0], grey) if before else nothing
        before.append(grey)
        if len(window) == window.maxlen:
            totals -= window[0]
        window.append(active)
        totals += active
        waiting.append(_Sample(start_s + i / fps, grey, active, nothing))
        if len(waiting) > reach:
            yield replace(waiting.popleft(), busy=hull_of(totals, len(window)))
    while waiting:
        yield replace(waiting.popleft(), busy=hull_of(totals, len(window)))


def hull_of(totals: "np.ndarray[tuple[int, int], np.dtype[np.int32]]", count: int) -> Blocks:
    """Rectangles of the blocks that changed in at least 30 % of `count` samples."""
    busy = totals >= max(4, BUSY_SHARE * count)
    return hull(busy) if busy.any() else busy


class _Finder:
    """Follows the screen sample by sample: moving, then standing still, then a change."""

    def __init__(self, fps: int, stable_s: float) -> None:
        self.step_s = 1 / fps
        self.needed = max(1, round(stable_s * fps))
        self.settle = round(SETTLE_S * fps)
        self.current: Still | None = None
        self.moved_from_s: float | None = None
        self.quiet = 0
        self.age = 0
        self.quiet_from_s = 0.0
        self.anchor: View | None = None

    def take(self, sample: _Sample) -> Still | None:
        """Takes the next sample; returns the still that it ends, if any."""
        if without_pointer(sample.active & ~sample.busy).sum() > MOVING_BLOCKS:
            self.quiet = 0
            if self.moved_from_s is None:
                self.moved_from_s = sample.time_s
            return None
        if self.quiet == 0:
            self.quiet_from_s = sample.time_s
        self.quiet += 1
        if self.quiet < self.needed:
            return None
        return self._stand(sample, View(sample.grey, sample.busy))

    def _stand(self, sample: _Sample, view: View) -> Still | None:
        end_s = sample.time_s + self.step_s
        if self.current is not None and self.anchor is not None and relate(self.anchor, view) is Relation.SAME:
            self.age += 1
            if self.age <= self.settle:
                self.anchor = view
            self.current = replace(self.current, end_s=end_s, seen_s=sample.time_s, view=view)
            self.moved_from_s = None
            return None
        start_s = self._change_s()
        done = self.current
        if done is not None and start_s - done.end_s < LONG_TRANSITION_S:
            done = replace(done, end_s=start_s)
        self.current = Still(start_s, end_s, sample.time_s, view)
        self.anchor, self.age, self.moved_from_s = view, 0, None
        return done

    def _change_s(self) -> float:
        """When the change happened: the middle of a transition, the moment of a cut.

        Motion shows for two samples after a cut, because samples half a second apart are compared.
        """
        still_from_s = self.quiet_from_s - LAG_S
        if self.moved_from_s is None:
            return self.current.end_s if self.current else self.quiet_from_s
        if still_from_s - self.moved_from_s > LONG_TRANSITION_S:
            return still_from_s
        return (self.moved_from_s + max(self.moved_from_s, still_from_s)) / 2
