"""`/health/live` (the process answers) and `/health/ready` (it can work: what it depends on works); nothing sensitive.

An answer to a ping says little: a database whose disk was full answers one for ever after and takes no write. So each
dependency is tried by a small piece of real work.
"""

import asyncio
import contextvars
import time
from collections.abc import Awaitable, Callable, Mapping

import structlog
from opentelemetry.instrumentation.utils import suppress_instrumentation
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.errors import LecternError

log = structlog.get_logger()

PROBE_TIMEOUT_S = 3.0
GIVE_UP_S = 60.0
CHECK_TIMEOUT_S = 4.0


class Probe:
    """One dependency, tried by `work`, which raises a LecternError where it cannot be done.

    Whoever asks while it is tried waits for that same try. One that lasts longer than PROBE_TIMEOUT_S has failed, as
    `silence`; it goes on, is cancelled after GIVE_UP_S, and no second one begins before its end. Tries make no spans.
    """

    def __init__(self, work: Callable[[], Awaitable[None]], *, every_s: float, silence: type[LecternError]) -> None:
        self._work = work
        self._every_s = every_s
        self._silence = silence
        self._trying: asyncio.Task[None] | None = None
        self._began_s = 0.0
        self._tried_s = 0.0
        self._error: LecternError | None = None

    async def recent(self) -> None:
        """Raise what the last try raised; try anew when that is `every_s` seconds ago or more."""
        if not self._tried_s or time.monotonic() - self._tried_s >= self._every_s:
            await self.now()
        if self._error is not None:
            raise self._error

    async def confirmed(self) -> None:
        """As `recent`, but a failure counts only where a new try fails as well: by now it may be over."""
        try:
            await self.recent()
        except self._silence:
            await self.now()

    async def now(self) -> None:
        """Try it now. Raises what the work raises, or `silence`."""
        if self._trying is None or self._trying.done():
            # In a context of its own: the try is not part of the request or the message that asks for it.
            self._trying = asyncio.create_task(self._try(), context=contextvars.Context())
            self._began_s = time.monotonic()
        elif time.monotonic() - self._began_s > GIVE_UP_S:
            self._trying.cancel()
        await asyncio.wait({self._trying}, timeout=PROBE_TIMEOUT_S)
        if not self._trying.done():
            self._tried_s, self._error = time.monotonic(), self._silence(f"no answer within {PROBE_TIMEOUT_S:g} s")
        elif self._trying.cancelled():  # by whom it asked: a connection that is closed from the other side does so
            self._tried_s, self._error = time.monotonic(), self._error or self._silence("the try was cancelled")
        else:
            self._trying.result()  # raises what is no LecternError: a bug in the work
        if self._error is not None:
            raise self._error

    async def _try(self) -> None:
        try:
            with suppress_instrumentation():
                await self._work()
        except LecternError as error:
            self._error = error
        else:
            self._error = None
        self._tried_s = time.monotonic()


class Health:
    """The state of one process. `checks` raise a LecternError when the named dependency does not work."""

    def __init__(self, checks: Mapping[str, Callable[[], Awaitable[None]]]) -> None:
        self._checks = checks
        self.started = False
        self.stopping = False

    async def report(self) -> tuple[bool, dict[str, str]]:
        """Whether the process is ready, and `ok`, `starting`, `stopping` or `failing` for each part of it."""
        names = list(self._checks)
        answers = await asyncio.gather(*(self._probe(name) for name in names))
        parts = dict(zip(names, answers, strict=True))
        parts["service"] = "stopping" if self.stopping else "ok" if self.started else "starting"
        return all(state == "ok" for state in parts.values()), parts

    async def _probe(self, name: str) -> str:
        try:
            await asyncio.wait_for(self._checks[name](), CHECK_TIMEOUT_S)
        except (LecternError, TimeoutError) as error:
            if not self.stopping:  # what has been closed for the end fails, and that is no news
                log.warning("health check fails", dependency=name, error=str(error))
            return "failing"
        return "ok"


async def _live(_request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


async def _ready(request: Request) -> JSONResponse:
    health: Health = request.app.state.health
    ready, parts = await health.report()
    return JSONResponse({"status": "ok" if ready else "unavailable", "parts": parts}, 200 if ready else 503)


def health_routes() -> list[Route]:
    """The two routes. They read the `Health` that the application's lifespan puts on `app.state.health`."""
    return [Route("/health/live", _live), Route("/health/ready", _ready)]
