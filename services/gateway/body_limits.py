"""How much a request may send, and how long it may take to: by route, also where no length is announced."""

import asyncio
import time
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.problems import ProblemError, refuse
from services.gateway.settings import GatewaySettings
from shared.sizes import size_text

# Streamed to where they are kept; everything else is small and read before its route is called.
_UPLOADS = frozenset({("POST", "/v1/jobs")})
# Boundaries, headers and the few small fields around an upload.
_FORM_OVERHEAD = 1 << 20
_FORMS = frozenset({"/login", "/logout"})
_FORM_BYTES = 4 << 10
_JSON_BYTES = 16 << 10
_WITHOUT_BODY = frozenset({"GET", "HEAD", "DELETE"})


def body_limit(method: str, path: str, max_upload_bytes: int) -> int:
    """The most bytes that the body of such a request may have."""
    if method in _WITHOUT_BODY:
        return 0
    if (method, path) in _UPLOADS:
        return max_upload_bytes + _FORM_OVERHEAD
    return _FORM_BYTES if path in _FORMS else _JSON_BYTES


class BodyLimits:
    """Middleware: refuses bodies that are packed, too large or too slow, from their headers or while they arrive."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body bounded."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        settings: GatewaySettings = scope["app"].state.gateway.settings
        method, path = scope["method"], scope["path"]
        limit = body_limit(method, path, settings.max_upload_bytes)
        body = _Body(receive, limit, settings)
        try:
            _check_coding(scope)
            if _announced(scope) > limit:
                raise too_large(limit)
            if (method, path) not in _UPLOADS and _has_body(scope):
                receive = await body.whole()
            else:
                receive = body.receive
        except ProblemError as error:
            await refuse(error, scope, body.receive, send)
            return
        await self._app(scope, receive, send)


def _check_coding(scope: Scope) -> None:
    """Raise ProblemError for a packed body: it would be taken for what it is not, or unpack to any size."""
    coding = ",".join(Headers(scope=scope).getlist("content-encoding")).strip().lower()
    if coding not in ("", "identity"):
        detail = "Bodies packed with a Content-Encoding are not taken. Send it as it is."
        headers = {"Accept-Encoding": "identity"}
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-encoding", detail, headers=headers)


def _announced(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isdecimal() and len(length) < 20 else 0


def _has_body(scope: Scope) -> bool:
    return _announced(scope) > 0 or "transfer-encoding" in Headers(scope=scope)


def too_large(limit: int) -> ProblemError:
    """The answer to a body of more than `limit` bytes."""
    detail = f"This request is too large: at most {size_text(limit)} can be sent here."
    if limit == 0:
        detail = "Requests with this method have no body here. Send it without."
    return ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", detail)


def _too_slow() -> ProblemError:
    detail = "The request did not arrive in time. Send it again over a better connection."
    return ProblemError(HTTPStatus.REQUEST_TIMEOUT, "too-slow", detail)


class _Body:
    """One request's body. Only the time spent waiting for the client counts, not the time to store what came.

    Once all of it is here nothing is waited for but the client's going away, which may take as long as its answer does.
    """

    def __init__(self, receive: Receive, limit: int, settings: GatewaySettings) -> None:
        self._receive = receive
        self._limit = limit
        self._settings = settings
        self._waited_s = 0.0
        self._received = 0
        self._is_whole = False

    async def receive(self) -> Message:
        """The next piece, and after the last that the client is gone.

        Raises ProblemError for a piece that is one too many or does not come.
        """
        if self._is_whole:
            return await self._receive()
        began_s = time.monotonic()
        try:
            async with asyncio.timeout(self._patience_s()):
                message = await self._receive()
        except TimeoutError:
            raise _too_slow() from None
        self._waited_s += time.monotonic() - began_s
        self._received += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._received > self._limit:
            raise too_large(self._limit)
        return message

    def _patience_s(self) -> float:
        stall_s = self._settings.body_stall_s
        earned_s = stall_s + self._received / self._settings.body_bytes_per_s
        return max(0.0, min(stall_s, earned_s - self._waited_s))

    async def whole(self) -> Receive:
        """Read all of it; returns what hands it out again."""
        pieces = bytearray()
        while True:
            message = await self.receive()
            if message["type"] != "http.request":
                return _returning(message, self._receive)
            pieces += message.get("body", b"")
            if not message.get("more_body", False):
                whole: Message = {"type": "http.request", "body": bytes(pieces), "more_body": False}
                return _returning(whole, self._receive)


def _returning(message: Message, then: Receive) -> Receive:
    first: list[Message] = [message]

    async def receive() -> Message:
        return first.pop() if first else await then()

    return receive
