"""Who goes first when more ask than can be served: those who were known, then one network after the other."""

import asyncio
import time
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from shared.http_server.lanes import AT_ONCE, LEAST_REST_S, Lanes, Recent, Turns
from shared.http_server.request_state import abandon_turn


def scope(network: str = "192.0.2.1", *headers: tuple[bytes, bytes], path: str = "/v1/jobs") -> dict[str, Any]:
    return {"type": "http", "path": path, "headers": list(headers), "client": (network, 1), "state": {}}


class Application:
    """Knows the key `good`. It answers when `open` is set, and says who was let in."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.entered: list[str] = []
        self.bodies: list[Message] = []

    async def __call__(self, given: Scope, receive: Receive, send: Send) -> None:
        self.entered.append(given["client"][0])
        known = (b"authorization", b"good") in given["headers"]
        given["state"]["caller"] = "ana" if known else None
        if given["path"] == "/login":
            self.bodies.append(await receive())
        await self.open.wait()
        await send({"type": "http.response.start", "status": 200 if known else 401, "headers": []})


async def body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def nowhere(_message: Message) -> None:
    pass


def ask(lanes: Lanes, given: Scope, receive: Receive = body) -> asyncio.Task[None]:
    return asyncio.create_task(lanes(given, receive, nowhere))


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


GOOD = (b"authorization", b"good")


async def test_few_strangers_are_served_at_a_time_and_each_network_has_its_turn() -> None:
    application = Application()
    lanes = Lanes(application)
    tasks = [ask(lanes, scope("192.0.2.1")) for _ in range(20)] + [ask(lanes, scope("192.0.2.2"))]
    await settle()
    assert application.entered == ["192.0.2.1"] * AT_ONCE
    application.open.set()
    await asyncio.gather(*tasks)
    assert application.entered.index("192.0.2.2") <= AT_ONCE + 1
    assert len(application.entered) == 21


async def test_who_was_known_a_while_ago_waits_for_nobody() -> None:
    application = Application()
    lanes = Lanes(application)
    application.open.set()
    await ask(lanes, scope("192.0.2.1", GOOD))
    application.open.clear()
    tasks = [ask(lanes, scope()) for _ in range(20)] + [ask(lanes, scope("192.0.2.9", GOOD))]
    await settle()
    assert application.entered[-1] == "192.0.2.9"
    application.open.set()
    await asyncio.gather(*tasks)


async def test_strangers_cost_a_bounded_share() -> None:
    application = Application()
    lanes = Lanes(application)
    application.open.set()
    began_s = time.monotonic()
    await asyncio.gather(*(ask(lanes, scope(path="/login")) for _ in range(AT_ONCE * 5)))
    # Twice a turn: until the body is read, and after it.
    assert time.monotonic() - began_s > LEAST_REST_S * 8


async def test_probes_wait_for_no_stranger() -> None:
    application = Application()
    lanes = Lanes(application)
    tasks = [ask(lanes, scope()) for _ in range(20)] + [ask(lanes, scope("192.0.2.9", path="/health/live"))]
    await settle()
    assert application.entered[-1] == "192.0.2.9"
    application.open.set()
    await asyncio.gather(*tasks)


async def test_who_has_to_send_holds_up_nobody() -> None:
    application = Application()
    lanes = Lanes(application)
    sent = asyncio.Event()

    async def slow() -> Message:
        await sent.wait()
        return await body()

    application.open.set()
    slow_ones = [ask(lanes, scope(path="/login"), slow) for _ in range(AT_ONCE * 3)]
    await asyncio.wait_for(ask(lanes, scope("192.0.2.9")), 2)
    sent.set()
    await asyncio.gather(*slow_ones)


async def test_who_leaves_while_waiting_is_forgotten() -> None:
    application = Application()
    lanes = Lanes(application)
    tasks = [ask(lanes, scope()) for _ in range(AT_ONCE)]
    left = [scope() for _ in range(5)]
    waiting = [ask(lanes, given) for given in left]
    await settle()
    for given in left:
        abandon_turn(given)
    await asyncio.gather(*waiting)
    ending = ask(lanes, scope())
    await settle()
    ending.cancel()
    application.open.set()
    await asyncio.gather(*tasks, ask(lanes, scope("192.0.2.9")))
    assert application.entered == ["192.0.2.1"] * AT_ONCE + ["192.0.2.9"]
    assert ending.cancelled()


async def test_who_leaves_between_body_and_turn_sends_no_more() -> None:
    application = Application()
    lanes = Lanes(application)
    given, sent = scope(path="/login"), asyncio.Event()

    async def slow() -> Message:
        await sent.wait()
        return await body()

    login = ask(lanes, given, slow)
    await asyncio.sleep(LEAST_REST_S * 2)
    others = [ask(lanes, scope()) for _ in range(AT_ONCE)]
    await settle()
    sent.set()
    await settle()
    abandon_turn(given)
    application.open.set()
    await asyncio.gather(login, *others)
    assert application.bodies == [{"type": "http.disconnect"}]


async def test_a_turn_that_comes_with_the_end_goes_to_the_next() -> None:
    turns = Turns(at_once=1)
    await turns.take(scope())
    first = asyncio.create_task(turns.take(scope()))
    second = asyncio.create_task(turns.take(scope()))
    await settle()
    turns.give_back()
    first.cancel()
    await asyncio.wait_for(second, 1)
    assert first.cancelled()


def test_only_the_latest_credentials_are_remembered(monkeypatch: Any) -> None:
    recent = Recent()
    digests = [recent.digest(scope("", (b"authorization", str(n).encode()))) for n in range(5000)]
    for digest in digests:
        assert digest is not None
        recent.add(digest)
    assert digests[0] not in recent
    assert digests[-1] in recent
    assert recent.digest(scope()) is None
    assert recent.digest(scope("", (b"cookie", b"1"))) not in recent
    later = time.monotonic() + 601
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert digests[-1] not in recent


async def test_credentials_that_are_refused_are_forgotten() -> None:
    application = Application()
    lanes = Lanes(application)
    application.open.set()
    given = scope("192.0.2.1", GOOD)
    digest = lanes._recent.digest(given)
    await ask(lanes, given)
    assert digest in lanes._recent
    application.__class__ = _KnowsNobody
    await ask(lanes, scope("192.0.2.1", GOOD))
    assert digest not in lanes._recent


class _KnowsNobody(Application):
    async def __call__(self, given: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": []})
