"""Who was known a short while ago goes ahead; everybody else takes turns, so that no flood of them delays the others.

This only orders requests: whether a caller is known is found out anew for each, by the application.
"""

import asyncio
import hashlib
import secrets
import time
from collections import OrderedDict

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http_server.connections import network_of
from shared.http_server.request_state import is_known, note_turn

AT_ONCE = 4
# After a request of somebody who stays unknown its turn rests, the longer the more the request took: with AT_ONCE turns
# that bounds what strangers cost, also on a machine that has little time left.
LEAST_REST_S, MOST_REST_S = 0.02, 0.1
_REST_SHARE = 3.0
_REMEMBERED = 4096
_REMEMBERED_S = 600.0
_CREDENTIALS = frozenset({b"authorization", b"cookie"})


class Recent:
    """Credentials that were good within the last ten minutes, as keyed hashes."""

    def __init__(self) -> None:
        self._salt = secrets.token_bytes(32)
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    def digest(self, scope: Scope) -> bytes | None:
        """What stands for the credentials of a request; None where it has none."""
        given = [header for header in scope["headers"] if header[0] in _CREDENTIALS]
        if not given:
            return None
        return hashlib.blake2b(b"\n".join(name + b":" + value for name, value in given), key=self._salt).digest()

    def __contains__(self, digest: bytes) -> bool:
        return time.monotonic() - self._seen.get(digest, -_REMEMBERED_S) < _REMEMBERED_S

    def add(self, digest: bytes) -> None:
        """Remember that these were good just now."""
        self._seen[digest] = time.monotonic()
        self._seen.move_to_end(digest)
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)

    def discard(self, digest: bytes) -> None:
        """Forget credentials that were refused."""
        self._seen.pop(digest, None)


class GoneError(Exception):
    """The caller went away before the request had its turn."""


class Turns:
    """At most `at_once` at a time; those who wait are taken one network after the other."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = at_once
        self._waiting: OrderedDict[str, OrderedDict[asyncio.Future[None], None]] = OrderedDict()

    async def take(self, scope: Scope) -> None:
        """Wait for a turn. Raises GoneError when the caller goes away meanwhile."""
        if self._free:
            self._free -= 1
            return
        network = network_of((scope.get("client") or ("",))[0])
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(network, OrderedDict())[turn] = None
        note_turn(scope, turn)
        try:
            await turn
        except asyncio.CancelledError:
            self._forget(network, turn)
            if not turn.cancelled():
                self.give_back()
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # it came with the end of the process
                raise
            raise GoneError from None

    def _forget(self, network: str, turn: asyncio.Future[None]) -> None:
        same = self._waiting.get(network, OrderedDict())
        same.pop(turn, None)
        if not same:
            self._waiting.pop(network, None)

    def give_back(self) -> None:
        """Let the next one go on."""
        while self._waiting:
            network, same = next(iter(self._waiting.items()))
            turn, _ = same.popitem(last=False)
            self._waiting.move_to_end(network)
            if not same:
                del self._waiting[network]
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class Lanes:
    """ASGI wrapper that lets requests in as told above. Probes of health take turns among themselves."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._recent = Recent()
        self._strangers = Turns()
        self._probes = Turns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        digest = self._recent.digest(scope)
        turns = self._probes if scope["path"].startswith("/health/") else self._strangers
        request = _Request(scope, receive, send, turns)
        try:
            if digest is None or digest not in self._recent:
                await request.take_turn()
            await self._app(scope, request.receive, request.send)
        except GoneError:
            pass  # nobody is left to answer
        finally:
            request.end_turn()
            if digest is not None and is_known(scope):
                self._recent.add(digest)
            elif digest is not None and request.status == 401:
                self._recent.discard(digest)


class _Request:
    """A turn lasts while the request is worked on, and not while its caller has to send or is being answered."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, turns: Turns) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._turns = turns
        self._began_s: float | None = None
        self.status = 0

    async def take_turn(self) -> None:
        await self._turns.take(self._scope)
        self._began_s = time.monotonic()

    def end_turn(self) -> None:
        if self._began_s is None:
            return
        took_s, self._began_s = time.monotonic() - self._began_s, None
        if is_known(self._scope):
            self._turns.give_back()
        else:
            rest_s = min(MOST_REST_S, max(LEAST_REST_S, took_s * _REST_SHARE))
            asyncio.get_running_loop().call_later(rest_s, self._turns.give_back)

    async def receive(self) -> Message:
        if self._began_s is None:
            return await self._receive()
        self.end_turn()
        message = await self._receive()
        if message["type"] == "http.request" and not is_known(self._scope) and not self.status:
            try:
                await self.take_turn()
            except GoneError:
                return {"type": "http.disconnect"}
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.end_turn()
        await self._send(message)
