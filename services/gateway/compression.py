"""Answers packed with gzip for callers that ask for it: text and JSON, never a range and never a stream of events.

The tag of a packed answer is weak: it says the same, in other bytes. A range is therefore never joined to it
(`If-Range` takes strong tags alone), and an `If-None-Match` with either form is answered the same.

What is packed may tell its length to who can see the line and make a browser ask (BREACH): the session's cookie is
`SameSite=Strict`, so no other site can make one ask as somebody who is signed in.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.accept import accepts_gzip
from services.gateway.request_log import call_changed

MINIMUM_BYTES = 500  # less is not worth its own header
LEVEL = 6  # level 9 costs twice the time and saves one byte in a hundred
# What is packed already, is not known, or must leave piece by piece.
LEFT_ALONE = (
    "application/gzip",
    "application/octet-stream",
    "application/pdf",
    "application/zip",
    "audio/*",
    "font/*",
    "image/*",
    "text/event-stream",
    "video/*",
)


class Compression:
    """Middleware that negotiates the encoding and packs."""

    def __init__(self, app: ASGIApp) -> None:
        self._packing = GZipMiddleware(app, MINIMUM_BYTES, LEVEL, exclude_content_types=LEFT_ALONE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its wish made plain."""
        if scope["type"] != "http":
            await self._packing(scope, receive, send)
            return
        headers = Headers(scope=scope)
        packed = accepts_gzip(headers.get("accept-encoding", "")) and "range" not in headers
        given = headers.get("if-none-match", "")

        async def retagged(message: Message) -> None:
            if message["type"] == "http.response.start":
                _retag(message, given)
            await send(message)

        asking = {"headers": _asking_for(scope, b"gzip" if packed else b"identity")}
        await call_changed(self._packing, scope, asking, receive, retagged)


def _asking_for(scope: Scope, encoding: bytes) -> list[tuple[bytes, bytes]]:
    others = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
    return [*others, (b"accept-encoding", encoding)]


def _retag(message: Message, given: str) -> None:
    """Make the tag of a packed answer weak, and that of the answer that says that such a one is still good."""
    headers = MutableHeaders(scope=message)
    tag = headers.get("etag")
    not_modified = message["status"] == 304
    if not_modified:
        headers.add_vary_header("Accept-Encoding")
    if tag is None or tag.startswith("W/"):
        return
    if "content-encoding" in headers or (not_modified and f"W/{tag}" in given):
        headers["ETag"] = f"W/{tag}"
