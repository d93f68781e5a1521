"""One log line a request: what was asked by whom, what was answered, how long it took (OPS-2)."""

import time
from collections.abc import Mapping
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()

# Probes and the page's own parts would be most of the lines.
_LEFT_OUT = ("/health/", "/static/")


class RequestLog:
    """Middleware that logs each request at its end, under the pattern of its route: paths and queries may be secret.

    Owner, job and trace stand in the line as in any other. A status of 0: the caller went away before there was one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and log what came of it."""
        if scope["type"] != "http" or scope["path"].startswith(_LEFT_OUT):
            await self._app(scope, receive, send)
            return
        began_s = time.perf_counter()
        status, sent_bytes = 0, 0

        async def watched(message: Message) -> None:
            nonlocal status, sent_bytes
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                sent_bytes += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            log.info(
                "request",
                method=scope["method"],
                route=getattr(scope.get("route"), "path", None),
                status=status,
                ms=round((time.perf_counter() - began_s) * 1000, 1),
                bytes=sent_bytes,
            )


async def call_changed(app: ASGIApp, scope: Scope, changes: Mapping[str, Any], receive: Receive, send: Send) -> None:
    """Let `app` see a changed copy of `scope`. The route that it finds is known outside as well, for the log."""
    changed = {**scope, **changes}
    try:
        await app(changed, receive, send)
    finally:
        if "route" in changed:
            scope["route"] = changed["route"]
