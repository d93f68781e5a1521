"""Tells the streams of this process that a job changed; other replicas' streams find out by looking."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Wakeups:
    """Events by job. `stop` ends every wait for good."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self.stopping = False

    def wake(self, job_id: str) -> None:
        """Wake who waits for a change of `job_id`."""
        for event in self._waiting.get(job_id, ()):
            event.set()

    def stop(self) -> None:
        """Wake everybody: the process is about to end."""
        self.stopping = True
        for events in self._waiting.values():
            for event in events:
                event.set()

    @contextmanager
    def of(self, job_id: str) -> Iterator[asyncio.Event]:
        """An event that is set at every change of `job_id` while the context lasts."""
        event = asyncio.Event()
        self._waiting[job_id].add(event)
        try:
            yield event
        finally:
            self._waiting[job_id].discard(event)
            if not self._waiting[job_id]:
                del self._waiting[job_id]
