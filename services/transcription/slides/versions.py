"""Follows the small changes within a picture that stands still, and keeps those that stay."""

from collections import deque
from dataclasses import dataclass

from services.transcription.slides.rewording import small_changes
from services.transcription.slides.views import View, changed_blocks

HOLD_S = 3.0  # a small change that has stayed for so long may be text; a pointer seldom rests on text
BACK_S = 1.0  # before the last clean sample, as a change may fade in unnoticed


@dataclass(frozen=True)
class Version:
    """What a still showed from `start_s` on, until the next version; `seen_s` is when its view was taken."""

    start_s: float
    seen_s: float
    view: View


class VersionTracker:
    """Compares each sample of a still with the first of its version."""

    def __init__(self, start_s: float, view: View, fps: int) -> None:
        self.done: tuple[Version, ...] = ()
        self.start_s, self.base = start_s, view
        self.clean: deque[tuple[float, View]] = deque([(start_s, view)], maxlen=1 + round(BACK_S * fps))
        self.pending: tuple[float, View] | None = None

    def settle(self, time_s: float, view: View) -> None:
        """A picture that still sharpens is what the following ones are compared with."""
        self.base, self.pending = view, None
        self.clean.append((time_s, view))

    def add(self, time_s: float, view: View) -> None:
        """Takes the next sample of the still."""
        spots = small_changes(self.base, view)
        if not spots.any():
            self.pending = None
            self.clean.append((time_s, view))
        elif self.pending is None or (changed_blocks(self.pending[1].grey, view.grey) & spots).any():
            self.pending = (time_s, view)
        elif time_s - self.pending[0] >= HOLD_S:
            self.done = self.versions
            self.start_s, self.base = self.pending[0], view
            self.clean.clear()
            self.clean.append((time_s, view))
            self.pending = None

    @property
    def versions(self) -> tuple[Version, ...]:
        """All versions so far, the last one with its view of the moment."""
        seen_s, view = self.clean[0]
        return (*self.done, Version(self.start_s, seen_s, view))
