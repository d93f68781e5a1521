"""Answers only to its own names: a `Host` that somebody made up gets into no link, and no other site is the page."""

import ipaddress
import re
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services.gateway.problems import ProblemError, refuse

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
_HOST = re.compile(r"^(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$")
# Probes of load balancers name whatever they like, or nothing; these answers contain no address.
_ANY_HOST = frozenset({"/health/live", "/health/ready"})


class AllowedHosts:
    """Middleware: refuses requests, WebSockets too, for a host name that is not this system's.

    Allowed are the names of the setting, or of the loopback address where there is none, and the very address that
    the connection was made to.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if it is meant for this system."""
        if scope["type"] in ("http", "websocket") and scope["path"] not in _ANY_HOST:
            allowed = scope["app"].state.gateway.settings.allowed_hosts or LOOPBACK_NAMES
            server = (scope.get("server") or ("",))[0]
            hosts = Headers(scope=scope).getlist("host")
            if len(hosts) != 1 or not is_allowed(hosts[0], allowed, server):
                await refuse(_misdirected(), scope, receive, send)
                return
        await self._app(scope, receive, send)


def is_allowed(host: str, allowed: tuple[str, ...], server: str) -> bool:
    """Whether `host`, a header's value, is one of `allowed` or the address `server`; `*.` stands for any subdomain."""
    found = _HOST.match(host.lower())
    if found is None:
        return False
    name = found["name"].rstrip(".")
    return any(_matches(name, pattern.lower()) for pattern in allowed) or _is_address(name, server)


def _matches(name: str, pattern: str) -> bool:
    return pattern in ("*", name) or (pattern.startswith("*.") and name.endswith(pattern[1:]))


def _is_address(name: str, server: str) -> bool:
    try:
        return ipaddress.ip_address(name.strip("[]")) == ipaddress.ip_address(server)
    except ValueError:
        return False


def _misdirected() -> ProblemError:
    detail = (
        "Lectern does not answer to this host name. Use its own address, or let whoever runs it allow the name in the "
        "setting GATEWAY_ALLOWED_HOSTS."
    )
    return ProblemError(HTTPStatus.MISDIRECTED_REQUEST, "unknown-host", detail)
