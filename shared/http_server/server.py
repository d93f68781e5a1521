"""Serves an application until the process is told to stop."""

import asyncio
import errno
import os
import resource
import socket
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
import uvicorn
from opentelemetry import context
from opentelemetry.context import Context
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.http_server.connections import ConnectionLimits, Connections
from shared.http_server.lanes import Lanes
from shared.http_server.protocol import BoundedProtocol
from shared.telemetry import work_on

log = structlog.get_logger()

_BACKLOG = 512
# How many new connections are taken before the requests at hand go on.
_TAKEN_AT_ONCE = 1
_ROOM = 64
# Beside connections and the one file or server that each may need: the database's, the broker's and the storage's own.
_OTHER_FILES = 256
_NO_FILES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


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


class BoundedServer(uvicorn.Server):
    """uvicorn's server that takes connections a few at a time, and makes room when it may open no more files."""

    def __init__(self, config: uvicorn.Config, connections: Connections) -> None:
        super().__init__(config)
        self._connections = connections
        self._without_files = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start serving."""
        await super().startup(sockets)
        if not self.started:
            return
        loop = asyncio.get_running_loop()
        before = loop.get_exception_handler()

        def tell(loop: asyncio.AbstractEventLoop, fault: dict[str, Any]) -> None:
            if "socket" in fault and getattr(fault.get("exception"), "errno", None) in _NO_FILES:
                self._make_room()
            elif before is not None:
                before(loop, fault)
            else:
                loop.default_exception_handler(fault)

        loop.set_exception_handler(tell)
        for listening in (one for server in self.servers for one in server.sockets):
            # What asyncio accepts at once and what the kernel keeps waiting are one number there.
            with socket.socket(fileno=os.dup(listening.fileno())) as same:
                same.listen(_BACKLOG)

    def _make_room(self) -> None:
        # asyncio tries again after a second: there has to be room for those who come meanwhile.
        for _ in range(_ROOM):
            self._connections.make_room()
        if not self._without_files:
            self._without_files = True
            log.warning("no more files may be opened: connections that wait are closed for new ones")


def bounded_by_files(limits: ConnectionLimits) -> ConnectionLimits:
    """Allow this process as many open files as the system lets it; `limits` with no more connections than fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * limits.total + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return limits if soft == resource.RLIM_INFINITY or soft >= wanted else replace(limits, total=max(64, soft // 4))


def serve(app: Starlette, host: str, port: int, shutdown_s: float, limits: ConnectionLimits | None = None) -> None:
    """Serve `app` with uvicorn until SIGTERM or SIGINT."""
    limits = limits or ConnectionLimits()
    connections = Connections(bounded_by_files(limits))
    config = uvicorn.Config(
        FreshTraceContext(Lanes(app)),
        host=host,
        port=port,
        http=partial(BoundedProtocol, open_connections=connections),  # type: ignore[arg-type]  # only called
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=_TAKEN_AT_ONCE,
        # Streams of events never end by themselves; nothing may hold up the drain that follows.
        timeout_graceful_shutdown=max(1, int(shutdown_s / 2)),
        timeout_keep_alive=max(1, int(limits.idle_s)),
    )
    BoundedServer(config, connections).run()
