"""What a supervisor told, with the time of each, and how a measurement makes it start programs again soon."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from deploy.local import backoff
from deploy.local.keeper import Event, Happening


class Happenings:
    """Every event of a supervisor, in order; times are of `time.perf_counter`."""

    def __init__(self) -> None:
        self._told: list[tuple[float, Event]] = []
        self._more = asyncio.Condition()
        self._telling: set[asyncio.Task[None]] = set()

    def tell(self, event: Event) -> None:
        """Take an event; what a supervisor's `on_event` is."""
        self._told.append((time.perf_counter(), event))
        task = asyncio.get_running_loop().create_task(self._wake())
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _wake(self) -> None:
        async with self._more:
            self._more.notify_all()

    def works(self, program: str) -> bool:
        """Whether a program has become ready and has not been seen to end."""
        last = next((event for _, event in reversed(self._told) if event.program == program), None)
        return last is not None and last.happening is Happening.READY

    def count(self, happening: Happening) -> int:
        """How often it came, of whatever program."""
        return sum(event.happening is happening for _, event in self._told)

    async def first(self, program: str, happening: Happening, *, after_s: float, limit_s: float = 60.0) -> float:
        """The time of the first such event after `after_s`, once it comes. Raises TimeoutError."""
        async with asyncio.timeout(limit_s), self._more:
            while True:
                for at_s, event in self._told:
                    if at_s >= after_s and event.program == program and event.happening is happening:
                        return at_s
                await self._more.wait()


@contextmanager
def deaths_far_apart() -> Iterator[None]:
    """Let a supervisor of this process take every death for the first one.

    It doubles its pause when a program dies again within a minute. In a measurement, deaths that a year would bring
    follow each other in seconds; without this, the last of five would cost sixteen times the pause of the first. One
    that dies before it is ready still counts as one more.
    """
    with mock.patch.object(backoff, "HEALTHY_AFTER_S", 0.0):
        yield
