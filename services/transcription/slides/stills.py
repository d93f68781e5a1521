"""From samples of the screen to the pictures that stood still, in one pass with bounded memory."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from services.transcription.slides.motion import DRIFT_LAG_S, LAG_S, Sample, watch_motion
from services.transcription.slides.versions import Version, VersionTracker
from services.transcription.slides.views import Grey, Relation, View, relate, without_pointer

MOVING_BLOCKS = 3  # beside a pointer; fewer is a trace of compression
SETTLE_S = 2.0  # a coarse first picture of a low bitrate video sharpens within that time
LONG_TRANSITION_S = 2.5
PICTURE_BACK_S = 2.0  # before the still ends, as a fade begins unnoticed
PICTURE_BACK_SHARE = 0.25  # of the still, at most: a picture of a low bitrate is best late


@dataclass(frozen=True)
class Still:
    """A picture that stood on screen from `start_s` to `end_s`. `seen_s` is when its view was taken.

    `versions` are what it looked like in turn, where a little of it changed and stayed so.
    """

    start_s: float
    end_s: float
    seen_s: float
    view: View
    versions: tuple[Version, ...] = ()


def find_stills(samples: Iterable[Grey], *, start_s: float, fps: int, stable_s: float) -> Iterator[Still]:
    """Yields what stood still for at least `stable_s`, in order; `samples` come `fps` a second from `start_s` on."""
    finder = _Finder(fps, stable_s)
    for sample in watch_motion(samples, start_s, fps):
        if (done := finder.take(sample)) is not None:
            yield done
    if finder.current is not None:
        yield finder.current


class _Finder:
    """Follows the screen sample by sample: moving, then standing still, then a change."""

    def __init__(self, fps: int, stable_s: float) -> None:
        self.fps, self.step_s = fps, 1 / fps
        self.needed = max(1, round(stable_s * fps))
        self.settle = round(SETTLE_S * fps)
        self.current: Still | None = None
        self.moved_from_s: float | None = None
        self.quiet = 0
        self.age = 0
        self.quiet_from_s = 0.0
        self.lag_s = LAG_S
        self.recent: deque[tuple[float, View]] = deque(maxlen=1 + round(PICTURE_BACK_S * fps))
        self.anchor: View | None = None
        self.tracker: VersionTracker | None = None

    def take(self, sample: Sample) -> Still | None:
        """Takes the next sample; returns the still that it ends, if any."""
        moving = without_pointer((sample.active | sample.drifting) & ~sample.busy)
        if moving.sum() > MOVING_BLOCKS:
            self.quiet = 0
            self.lag_s = LAG_S if (moving & sample.active).any() else DRIFT_LAG_S
            if self.moved_from_s is None:
                self.moved_from_s = sample.time_s
            return None
        if self.quiet == 0:
            self.quiet_from_s = sample.time_s
        self.quiet += 1
        if self.quiet < self.needed:
            return None
        return self._stand(sample, View(sample.grey, sample.busy))

    def _stand(self, sample: Sample, view: View) -> Still | None:
        end_s = sample.time_s + self.step_s
        tracker = self.tracker
        if self.current and tracker and self.anchor and relate(self.anchor, view) is Relation.SAME:
            self.age += 1
            if self.age <= self.settle:
                self.anchor = view
                tracker.settle(sample.time_s, view)
            else:
                tracker.add(sample.time_s, view)
            self.recent.append((sample.time_s, view))
            back = min(len(self.recent) - 1, int(self.age * PICTURE_BACK_SHARE))
            seen_s, seen = self.recent[-1 - back]
            self.current = replace(self.current, end_s=end_s, seen_s=seen_s, view=seen, versions=tracker.versions)
            self.moved_from_s = None
            return None
        start_s = self._change_s()
        done = self.current
        if done is not None and start_s - done.end_s < LONG_TRANSITION_S:
            done = replace(done, end_s=start_s)
        self.current = Still(start_s, end_s, sample.time_s, view)
        self.recent.clear()
        self.recent.append((sample.time_s, view))
        self.anchor, self.age, self.moved_from_s = view, 0, None
        self.tracker = VersionTracker(sample.time_s, view, self.fps)
        return done

    def _change_s(self) -> float:
        """When the change happened: the middle of a transition, the moment of a cut.

        Motion shows for two samples after a cut, because samples half a second apart are compared.
        """
        still_from_s = self.quiet_from_s - self.lag_s
        if self.moved_from_s is None:
            return self.current.end_s if self.current else self.quiet_from_s
        if still_from_s - self.moved_from_s > LONG_TRANSITION_S:
            return still_from_s
        return (self.moved_from_s + max(self.moved_from_s, still_from_s)) / 2
