"""Serves an application until the process is told to stop."""

import resource
from dataclasses import replace
from functools import partial

import uvicorn
from opentelemetry import context
from opentelemetry.context import Context
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.http_server.protocol import BoundedProtocol, ConnectionLimits, Connections
from shared.telemetry import work_on

_BACKLOG = 512
# Beside connections: those just accepted, and the database's, the broker's and the storage's own.
_OTHER_FILES = _BACKLOG + 256


class FreshTraceContext:
    """Lets every request begin without a current span, and with nothing known of what it is about.

    After an upload that had to wait, asyncio reads the connection in the context of that upload's request: the next
    request on the same connection would find its ended span, ignore its own `traceparent` and join the other's trace.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        token = context.attach(Context())
        try:
            with work_on():
                await self._app(scope, receive, send)
        finally:
            context.detach(token)


def bounded_by_files(limits: ConnectionLimits) -> ConnectionLimits:
    """Allow this process as many open files as the system lets it; `limits` with no more connections than fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.total + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return limits if soft == resource.RLIM_INFINITY or soft >= wanted else replace(limits, total=max(64, soft // 4))


def serve(app: Starlette, host: str, port: int, shutdown_s: float, limits: ConnectionLimits | None = None) -> None:
    """Serve `app` with uvicorn until SIGTERM or SIGINT."""
    limits = limits or ConnectionLimits()
    protocol = partial(BoundedProtocol, open_connections=Connections(bounded_by_files(limits)))
    config = uvicorn.Config(
        FreshTraceContext(app),
        host=host,
        port=port,
        http=protocol,  # type: ignore[arg-type]  # it is only called, to make a protocol
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=_BACKLOG,
        # Streams of events never end by themselves; nothing may hold up the drain that follows.
        timeout_graceful_shutdown=max(1, int(shutdown_s / 2)),
        timeout_keep_alive=max(1, int(limits.idle_s)),
    )
    uvicorn.Server(config).run()
