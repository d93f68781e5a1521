"""uvicorn's protocol with what it lacks: a time for the headers, a bound on connections, an end for stalled ones."""

import asyncio
import json
import logging
import time
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from shared.http_server.connections import Connections, network_of
from shared.http_server.head import StrictConnection
from shared.http_server.request_state import abandon_turn, is_known

_LINGER_S = 0.5
# Beyond the limit that many are told so; more are only closed.
_TOLD = 64
# Slower than this an answer that is finished is not taken off our hands.
_LEAST_BYTES_PER_S = 1024
# uvicorn warns of each request that is malformed: whoever likes could fill the disk with that.
_logger = logging.getLogger("uvicorn.error.connections")
_logger.setLevel(logging.ERROR)


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
        self.logger = _logger
        self.conn: StrictConnection = StrictConnection()
        self.network = ""
        self._all = open_connections
        self._since_s = time.monotonic()
        self._begun = True  # a new connection has to send its headers at once
        self._refused = False
        self._unsent_bytes = 0
        self._unsent_since_s: float | None = None

    @property
    def known(self) -> bool:
        """Whether the caller of the latest request is known."""
        return is_known(self.scope)

    @property
    def waits(self) -> bool:
        """Whether it waits for a request, or has its answer and is still sending a body that was refused."""
        return self._idle or (bool(self.cycle.response_started) and self.conn.their_state is h11.SEND_BODY)

    @property
    def _idle(self) -> bool:
        return self.cycle is None or bool(self.cycle.response_complete)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Take the connection, or say that there are too many."""
        super().connection_made(transport)
        self.network = network_of(self.client[0] if self.client else "")
        if self._all.add(self):
            return
        if len(self.connections) > self._all.limits.total + _TOLD:
            transport.abort()
        else:
            self._tell(HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections are open. Try again in a few seconds.")

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._all.remove(self)
        super().connection_lost(exc)
        abandon_turn(self.scope)

    def data_received(self, data: bytes) -> None:
        """Let the time for the headers begin with their first byte."""
        if self.transport.is_closing() or self._refused:
            return
        if self._idle and not self._begun:
            self._begun, self._since_s = True, time.monotonic()
        super().data_received(data)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._since_s = time.monotonic()
        self._begun = bool(self.conn.trailing_data[0])
        self._all.waits_anew(self)
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text says less
        """Say what is wrong with a request that cannot be read."""
        fault = self.conn.fault
        status = HTTPStatus(fault.error_status_hint) if fault else HTTPStatus.BAD_REQUEST
        self._tell(status, str(fault or "This is not a well-formed request."))

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
        if self.transport.is_closing() or self._refused or not self._idle:
            return
        if self._begun and now_s - self._since_s >= limits.header_s:
            if self.conn.trailing_data[0]:
                self._tell(HTTPStatus.REQUEST_TIMEOUT, "The headers of this request did not arrive in time.")
            else:
                self.transport.close()
        elif not self._begun and now_s - self._since_s >= limits.idle_s:
            self.transport.close()

    def _end_if_stalled(self, now_s: float) -> None:
        unsent, stall_s = self.transport.get_write_buffer_size(), self._all.limits.stall_s
        moved = unsent > self._unsent_bytes or (unsent < self._unsent_bytes and not self._idle)
        if self._unsent_since_s is None or moved:
            self._unsent_bytes, self._unsent_since_s = unsent, now_s
        # Of an answer that is finished, what is left only shrinks: taking a byte at a time does not keep it.
        taken_s = (self._unsent_bytes - unsent) / _LEAST_BYTES_PER_S
        if now_s - self._unsent_since_s - taken_s >= stall_s:
            self.evict()

    def _tell(self, status: HTTPStatus, detail: str) -> None:
        """Refuse what is on this connection, and listen a moment longer: closing at once could lose the answer."""
        self._refused = True
        if self._idle or not self.cycle.response_started:  # an answer that has begun can only be broken off
            body = json.dumps({"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail})
            lines = (
                f"HTTP/1.1 {status.value} {status.phrase}",
                "content-type: application/problem+json",
                f"content-length: {len(body)}",
                "connection: close",
            )
            self.transport.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
            self.transport.write_eof()
        if not self._idle:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.loop.call_later(_LINGER_S, self.transport.abort)
