"""All about dead letters as one part of the gateway, and what runs in its background."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from services.gateway.dead_letters.letters import DeadLetters
from services.gateway.dead_letters.post import Connect, Post
from services.gateway.dead_letters.replay import LearnReplay, Replays
from services.gateway.dead_letters.tidier import Tidier
from shared.database import Database
from shared.errors import LecternError
from shared.storage import ObjectStore

log = structlog.get_logger()

PAUSE_S = 2.0
# A pass reads whole queues: it may take at most a tenth of the time.
_REST = 9.0


@dataclass(frozen=True)
class DeadLetterOffice:
    """`trace_url`: where a trace can be seen, with `{trace_id}` in it; None where nobody knows."""

    letters: DeadLetters
    replays: Replays
    tidier: Tidier
    trace_url: str | None = None
    work: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, *, pause_s: float = PAUSE_S) -> None:
        """Finish replays and tidy up, at once when `work` is set and every `pause_s` seconds, until cancelled."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._replay(pause_s))
            both.create_task(self._tidy(pause_s))

    async def _replay(self, pause_s: float) -> None:
        while True:
            self.work.clear()
            await _tried(self.replays.finish_replays)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self.work.wait()

    async def _tidy(self, pause_s: float) -> None:
        while True:
            began_s = time.monotonic()
            await _tried(self.tidier.tidy)
            await asyncio.sleep(max(pause_s, _REST * (time.monotonic() - began_s)))


async def _tried(step: Callable[[], Awaitable[int]]) -> None:
    try:
        await step()
    except LecternError as error:
        log.warning("dead letters: work goes on later", error=str(error)[:300])


def open_office(
    database: Database, store: ObjectStore, connect: Connect, learn: LearnReplay, *, trace_url: str | None = None
) -> DeadLetterOffice:
    """Put it together. Nothing is connected to before it is needed; `letters.prepare()` creates the indexes."""
    letters, post = DeadLetters(database, store), Post(connect)
    return DeadLetterOffice(letters, Replays(letters, post, learn), Tidier(letters, post), trace_url)
