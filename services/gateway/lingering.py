"""Lets a caller whose upload is refused finish sending for a while, so that the answer reaches them.

Many clients read nothing before they have written everything. Closing on them resets the connection, and the answer
that says what is wrong is lost with it.
"""

import asyncio
from contextlib import suppress

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LINGER_S = 10.0


class LingeringRefusals:
    """Middleware: the answer leaves at once; then what still comes is read, and nothing of it kept."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; stay on the line if it is answered half way."""
        if scope["type"] == "http" and _has_body(scope):
            exchange = _Exchange(receive, send)
            await self._app(scope, exchange.receive, exchange.send)
        else:
            await self._app(scope, receive, send)


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


class _Exchange:
    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
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
            await self.receive()
