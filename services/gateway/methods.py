"""HEAD wherever there is GET, and `Allow` with every method of an address, whatever the routes say."""

import asyncio
from collections.abc import Sequence

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.request_log import call_changed


def allowed_methods(routes: Sequence[BaseRoute], scope: Scope) -> list[str]:
    """The methods that the address in `scope` takes, in alphabetical order."""
    # Within what is mounted the root is that of the mounted part; the application's own is kept beside it.
    path = scope["path"].removeprefix(scope.get("app_root_path", scope.get("root_path", "")))
    found: set[str] = set()
    for route in iter_route_contexts(routes):
        if not route.path_regex.match(path):
            continue
        # What is mounted are files.
        found |= {"GET"} if isinstance(route.original_route, Mount) else (route.methods or set())
    return sorted(found | ({"HEAD"} if "GET" in found else set()))


class HeadAsGet:
    """Middleware: what GET would answer, without its content (RFC 9110, 9.3.2).

    The application sees a GET whose caller leaves as soon as the headers are sent, so that nothing is read for nobody
    and a stream that would last for hours ends.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        exchange = _HeadExchange(send)
        # From version 2.4 on responses learn of a caller that has left by a failing `send` alone.
        as_get = {"method": "GET", "asgi": {**scope.get("asgi", {}), "spec_version": "2.3"}}
        await call_changed(self._app, scope, as_get, exchange.receive, exchange.send)


class _HeadExchange:
    def __init__(self, send: Send) -> None:
        self._send = send
        self._asked = False
        self._answered = asyncio.Event()

    async def receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._answered.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._send(message)
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            self._answered.set()
