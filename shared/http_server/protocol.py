"""uvicorn's protocol with what it lacks: a time for the headers, a bound on connections, an end for stalled ones."""

import asyncio
import ipaddress
import json
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from shared.http_server.head import StrictConnection

_LINGER_S = 0.5


@dataclass(frozen=True)
class ConnectionLimits:
    """Bounds of one process. `per_address` does not count for the loopback address, where proxies stand."""

    header_s: float = 30.0
    idle_s: float = 30.0
    stall_s: float = 60.0
    total: int = 1000
    per_address: int = 100


class Connections:
    """The open connections of one process, oldest first, and the one timer that ends those that are overdue."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._open: dict[BoundedProtocol, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, connection: "BoundedProtocol") -> bool:
        """Take `connection` in, ending the longest waiting one where there are too many. False: all are at work."""
        address = connection.address
        same = [other for other in self._open if other.address == address]
        if not _is_loopback(address) and len(same) >= self.limits.per_address and not _end_one(same):
            return False
        if len(self._open) >= self.limits.total and not _end_one(list(self._open)):
            return False
        self._open[connection] = None
        if self._timer is None:
            self._look_later()
        return True

    def remove(self, connection: "BoundedProtocol") -> None:
        """Forget a connection that has ended."""
        self._open.pop(connection, None)

    def _look_later(self) -> None:
        limits = self.limits
        pause_s = min(1.0, min(limits.header_s, limits.idle_s, limits.stall_s) / 4)
        self._timer = asyncio.get_running_loop().call_later(pause_s, self._look)

    def _look(self) -> None:
        now_s = time.monotonic()
        for connection in list(self._open):
            connection.end_if_overdue(now_s)
        self._timer = None
        if self._open:
            self._look_later()


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _end_one(among: "list[BoundedProtocol]") -> bool:
    waiting = [connection for connection in among if connection.may_be_ended]
    if not waiting:
        return False
    min(waiting, key=lambda connection: connection.since_s).evict()
    return True


class BoundedProtocol(H11Protocol):
    """One connection. It waits (for a request, or in the middle of its headers) or it is at work on one."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        open_connections: Connections,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.conn: StrictConnection = StrictConnection()
        self._all = open_connections
        self.address = ""
        self.since_s = time.monotonic()
        self._begun = True  # a new connection has to send its headers at once
        self._refused = False
        self._unsent_bytes = 0
        self._unsent_since_s: float | None = None

    @property
    def waits(self) -> bool:
        """Whether no request is being worked on."""
        return self.cycle is None or bool(self.cycle.response_complete)

    @property
    def may_be_ended(self) -> bool:
        """Whether it may make room for another: it waits, or it has its answer and is still sending a refused body."""
        return self.waits or (bool(self.cycle.response_started) and self.conn.their_state is h11.SEND_BODY)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Take the connection, or say that there are too many."""
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        if not self._all.add(self):
            self._tell(HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections are open. Try again in a few seconds.")

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._all.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Let the time for the headers begin with their first byte."""
        if self.transport.is_closing() or self._refused:
            return
        if self.waits and not self._begun:
            self._begun, self.since_s = True, time.monotonic()
        super().data_received(data)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self.since_s = time.monotonic()
        self._begun = bool(self.conn.trailing_data[0])
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Say what is wrong with a request that cannot be read."""
        fault = self.conn.fault
        self._tell(HTTPStatus(fault.error_status_hint) if fault else HTTPStatus.BAD_REQUEST, str(fault or msg))

    def _unsupported_upgrade_warning(self) -> None:
        """Upgrades are not offered; whoever asks for one gets a plain answer and no line in the log."""

    def evict(self) -> None:
        """Make room for another connection, at once."""
        self._all.remove(self)
        self.transport.abort()

    def end_if_overdue(self, now_s: float) -> None:
        """End the connection if its client has not done its part for too long."""
        limits = self._all.limits
        if self.transport.get_write_buffer_size() > 0:
            self._end_if_stalled(now_s)
            return
        self._unsent_since_s = None
        if self.transport.is_closing() or self._refused or not self.waits:
            return
        if self._begun and now_s - self.since_s >= limits.header_s:
            if self.conn.trailing_data[0]:
                self._tell(HTTPStatus.REQUEST_TIMEOUT, "The headers of this request did not arrive in time.")
            else:
                self.transport.close()
        elif not self._begun and now_s - self.since_s >= limits.idle_s:
            self.transport.close()

    def _end_if_stalled(self, now_s: float) -> None:
        unsent = self.transport.get_write_buffer_size()
        if self._unsent_since_s is None or unsent != self._unsent_bytes:
            self._unsent_bytes, self._unsent_since_s = unsent, now_s
        elif now_s - self._unsent_since_s >= self._all.limits.stall_s:
            self.evict()

    def _tell(self, status: HTTPStatus, detail: str) -> None:
        """Refuse what is on this connection, and listen a moment longer: closing at once could lose the answer."""
        self._refused = True
        if self.waits or not self.cycle.response_started:  # an answer that has begun can only be broken off
            body = json.dumps({"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail})
            lines = (
                f"HTTP/1.1 {status.value} {status.phrase}",
                "content-type: application/problem+json",
                f"content-length: {len(body)}",
                "connection: close",
            )
            self.transport.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
            self.transport.write_eof()
        if not self.waits:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.loop.call_later(_LINGER_S, self.transport.abort)
