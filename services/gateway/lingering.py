"""Lets a caller whose upload is refused finish sending for a while, so that the answer reaches them.

Many clients read nothing before they have written everything. Closing on them resets the connection, and the answer
that says what is wrong is lost with it.
"""

import asyncio
import time
from contextlib import suppress

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LINGER_S = 10.0
# Of all such callers together: what is thrown away may not take the time of those who are served.
BYTES_PER_S = 64 << 20


class Pace:
    """Lets so many bytes a second through."""

    def __init__(self, bytes_per_s: float) -> None:
        self._bytes_per_s = bytes_per_s
        self._free_at_s = 0.0

    async def keep(self, size: int) -> None:
        """Wait until `size` bytes more may have been read."""
        now_s = time.monotonic()
        self._free_at_s = max(self._free_at_s, now_s) + size / self._bytes_per_s
        await asyncio.sleep(self._free_at_s - now_s)


class LingeringRefusals:
    """Middleware: the answer leaves at once; then what still comes is read, and nothing of it kept."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._pace = Pace(BYTES_PER_S)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; stay on the line if it is answered half way."""
        if scope["type"] == "http" and _has_body(scope):
            exchange = _Exchange(receive, send, self._pace)
            await self._app(scope, exchange.receive, exchange.send)
        else:
            await self._app(scope, receive, send)


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


class _Exchange:
    def __init__(self, receive: Receive, send: Send, pace: Pace) -> None:
        self._receive = receive
        self._send = send
        self._pace = pace
        self._all_read = False
        self._lingers = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._all_read = self._all_read or message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and not self._all_read:
            self._lingers = True
            MutableHeaders(scope=message)["Connection"] = "close"
        if not self._lingers or message["type"] != "http.response.body" or message.get("more_body", False):
            await self._send(message)
            return
        await self._send({**message, "more_body": True})
        with suppress(TimeoutError):
            await asyncio.wait_for(self._read_the_rest(), LINGER_S)
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _read_the_rest(self) -> None:
        while not self._all_read:
            message = await self.receive()
            await self._pace.keep(len(message.get("body", b"")))
