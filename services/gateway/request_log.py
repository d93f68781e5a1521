"""One log line a request: what was asked by whom, what was answered, how long it took (OPS-2)."""

import time
from collections.abc import Mapping
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http_server.request_state import is_known

log = structlog.get_logger()

# Strangers' lines: more than so many at once, or a second, would let whoever likes fill the disk.
MOST_AT_ONCE = 100
MOST_PER_S = 10.0
# Probes and the page's own parts would be most of the lines.
_LEFT_OUT = ("/health/", "/static/")


class RequestLog:
    """Middleware that logs each request at its end, under the pattern of its route: paths and queries may be secret.

    Owner, job and trace stand in the line as in any other. A status of 0: the caller went away before there was one.
    Requests of callers who are not known are logged as far as an allowance goes; the next line counts the others.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._allowance = _Allowance()

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
            if is_known(scope) or self._allowance.takes_one():
                log.info(
                    "request",
                    method=scope["method"],
                    route=getattr(scope.get("route"), "path", None),
                    status=status,
                    ms=round((time.perf_counter() - began_s) * 1000, 1),
                    bytes=sent_bytes,
                    **self._allowance.told(),
                )


class _Allowance:
    """How many lines strangers may have now, and how many they were refused since the last line."""

    def __init__(self) -> None:
        self._left = float(MOST_AT_ONCE)
        self._counted_at_s = time.monotonic()
        self._left_out = 0

    def takes_one(self) -> bool:
        now_s = time.monotonic()
        earned = (now_s - self._counted_at_s) * MOST_PER_S
        self._left, self._counted_at_s = min(MOST_AT_ONCE, self._left + earned), now_s
        if self._left < 1:
            self._left_out += 1
            return False
        self._left -= 1
        return True

    def told(self) -> dict[str, int]:
        left_out, self._left_out = self._left_out, 0
        return {"left_out": left_out} if left_out else {}


async def call_changed(app: ASGIApp, scope: Scope, changes: Mapping[str, Any], receive: Receive, send: Send) -> None:
    """Let `app` see a changed copy of `scope`. The route that it finds is known outside as well, for the log."""
    changed = {**scope, **changes}
    try:
        await app(changed, receive, send)
    finally:
        if "route" in changed:
            scope["route"] = changed["route"]
