"""`/health/live` (the process answers) and `/health/ready` (what it depends on answers too); nothing sensitive."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.errors import LecternError

log = structlog.get_logger()

CHECK_TIMEOUT_S = 3.0


class Health:
    """The state of one process. `checks` raise a LecternError when the named dependency does not answer."""

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
