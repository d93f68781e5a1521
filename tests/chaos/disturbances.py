"""What was done to the system, and when: what else goes wrong has its reason here, or has none."""

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

BROKER, DATABASE, STORAGE, GATEWAY, COPIES, PROCESS = "broker", "database", "storage", "gateway", "copies", "process"
# A connection that was cut is noticed, and one that was refused is made anew, seconds later.
AFTER_S = 20.0


@dataclass
class Disturbance:
    """`what` was disturbed, from and until when (seconds since the epoch); None: it still is."""

    what: str
    began_at: float
    ended_at: float | None = None


@dataclass
class Disturbances:
    """All of a run. `deaths`: when a process was known to be dead, by its id."""

    all: list[Disturbance] = field(default_factory=list)
    deaths: dict[int, float] = field(default_factory=dict)

    @contextmanager
    def of(self, what: str) -> Iterator[None]:
        """Something is done to `what` while the context lasts."""
        one = Disturbance(what, time.time())
        self.all.append(one)
        try:
            yield
        finally:
            one.ended_at = time.time()

    def any(self, kinds: Collection[str], *, since: float, until: float, after_s: float) -> bool:
        """Whether one of `kinds` was disturbed between the two times. It is felt for `after_s` seconds longer."""
        return any(
            one.what in kinds and one.began_at <= until and (one.ended_at is None or one.ended_at + after_s >= since)
            for one in self.all
        )
