"""Finds out who is calling from the headers alone: before that nothing of a request's body is read."""

import structlog
from fastapi.security.utils import get_authorization_scheme_param
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from services.gateway.auth.guard import (
    COOKIE,
    CSRF_HEADER,
    Caller,
    check_same_origin,
    check_token,
    unauthorised,
)
from services.gateway.parts import Gateway
from services.gateway.problems import ProblemError, refuse
from shared.errors import LecternError

log = structlog.get_logger()

# Nobody has to sign in for these. Every other address needs a known caller, also one that leads nowhere.
PUBLIC_PATHS = frozenset(
    {
        "/",
        "/login",
        "/login/once",
        "/logout",
        "/favicon.ico",
        "/docs",
        "/openapi.json",
        "/asyncapi.json",
        "/health/live",
        "/health/ready",
    }
)
PUBLIC_FOLDERS = ("/static/",)
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def is_public(path: str) -> bool:
    """Whether `path` is there for everybody."""
    return path in PUBLIC_PATHS or path.startswith(PUBLIC_FOLDERS)


class Authentication:
    """Middleware: refuses who is not known and what another site forged; puts the Caller on `request.state`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request of a known caller on."""
        if scope["type"] in ("http", "websocket"):
            try:
                await _admit(HTTPConnection(scope))
            except (ProblemError, LecternError) as error:
                await refuse(error, scope, receive, send)
                return
        await self._app(scope, receive, send)


async def _admit(request: HTTPConnection) -> None:
    if not is_public(request.url.path):
        request.state.caller = await _identify(request, request.app.state.gateway)
    elif not _is_safe(request):
        check_same_origin(request)


async def is_still_known(request: HTTPConnection, parts: Gateway) -> bool:
    """Whether the caller of a request that is being answered would be let in now. Raises DatabaseError."""
    try:
        await _identify(request, parts)
    except ProblemError:
        return False
    return True


async def _identify(request: HTTPConnection, parts: Gateway) -> Caller:
    scheme, key = get_authorization_scheme_param(request.headers.get("authorization"))
    if scheme.lower() == "bearer":
        identity = await parts.keys.identify(key)
        if identity is None:
            raise unauthorised()
        return Caller(identity.owner, administrator=identity.administrator, key_id=identity.key_id)
    cookie = request.cookies.get(COOKIE)
    session = await parts.sessions.find(cookie) if cookie else None
    if session is None:
        raise unauthorised()
    if not _is_safe(request):
        check_same_origin(request)
    if request.scope["type"] == "http" and not _is_safe(request):
        check_token(session, request.headers.get(CSRF_HEADER))
    return Caller(session.owner, session, session.administrator, session.key_id)


def _is_safe(request: HTTPConnection) -> bool:
    # A browser opens a WebSocket for any site, with the cookie: it counts as one that changes something.
    return bool(request.scope.get("method") in _SAFE)
