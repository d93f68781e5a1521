"""Readiness is tried by work, seldom enough to cost nothing, and never by two at a time (OPS-8)."""

import asyncio

import pytest
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from shared import health
from shared.errors import DatabaseError, StorageError
from shared.health import Health, Probe


class Dependency:
    def __init__(self) -> None:
        self.tries = 0
        self.works = True
        self.lasts_s = 0.0
        self.made_spans: list[bool] = []

    async def work(self) -> None:
        self.tries += 1
        self.made_spans.append(is_instrumentation_enabled())
        await asyncio.sleep(self.lasts_s)
        if not self.works:
            raise DatabaseError("no space left on device")


async def outcome(asked: "asyncio.Future[None] | object") -> str:
    try:
        await asked  # type: ignore[misc]  # any awaitable
    except DatabaseError as error:
        return str(error)
    return "works"


async def test_a_result_is_kept_for_a_while_whatever_it_is() -> None:
    dependency = Dependency()
    probe = Probe(dependency.work, every_s=60, silence=DatabaseError)
    assert [await outcome(probe.recent()) for _ in range(50)] == ["works"] * 50
    assert dependency.tries == 1
    dependency.works = False
    with pytest.raises(DatabaseError):
        await probe.now()
    assert {await outcome(probe.recent()) for _ in range(50)} == {"no space left on device"}
    assert dependency.tries == 2
    assert dependency.made_spans == [False, False]


async def test_a_try_that_what_it_asks_has_cancelled_is_a_failure() -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    probe = Probe(cancelled, every_s=60, silence=DatabaseError)
    assert await outcome(probe.recent()) == "the try was cancelled"
    assert await outcome(probe.recent()) == "the try was cancelled"


async def test_after_that_while_it_is_tried_again() -> None:
    dependency = Dependency()
    probe = Probe(dependency.work, every_s=0.05, silence=DatabaseError)
    await probe.recent()
    dependency.works = False
    await asyncio.sleep(0.1)
    assert await outcome(probe.recent()) == "no space left on device"
    dependency.works = True
    await asyncio.sleep(0.1)
    assert await outcome(probe.recent()) == "works"


async def test_who_asks_while_it_is_tried_waits_for_that_try() -> None:
    dependency = Dependency()
    dependency.lasts_s = 0.05
    probe = Probe(dependency.work, every_s=0, silence=DatabaseError)
    await asyncio.gather(*(probe.recent() for _ in range(100)), *(probe.now() for _ in range(100)))
    assert dependency.tries == 1


async def test_one_that_hangs_has_failed_in_time_and_is_not_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PROBE_TIMEOUT_S", 0.05)
    hung = asyncio.Event()
    tries = 0

    async def work() -> None:
        nonlocal tries
        tries += 1
        await hung.wait()

    probe = Probe(work, every_s=0, silence=DatabaseError)
    for _ in range(3):
        with pytest.raises(DatabaseError, match="no answer"):
            await probe.now()
    assert tries == 1
    hung.set()
    await asyncio.sleep(0.01)
    await probe.now()
    assert tries == 2


async def test_one_that_hangs_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PROBE_TIMEOUT_S", 0.02)
    monkeypatch.setattr(health, "GIVE_UP_S", 0.03)
    hangs = True

    async def work() -> None:
        await asyncio.sleep(600 if hangs else 0)

    probe = Probe(work, every_s=0, silence=DatabaseError)
    for _ in range(3):
        with pytest.raises(DatabaseError, match="no answer"):
            await probe.now()
    hangs = False
    await asyncio.sleep(0.05)
    for _ in range(3):
        if await outcome(probe.now()) == "works":
            return
    pytest.fail("a try that hangs keeps all others from being made")


async def test_a_circuit_and_the_page_tell_the_same() -> None:
    """A circuit tries anew after a failure; what it finds is what the page says, without another try."""
    dependency = Dependency()
    probe = Probe(dependency.work, every_s=60, silence=StorageError)
    page = Health({"database": probe.recent})
    page.started = True
    assert (await page.report())[0]
    dependency.works = False
    with pytest.raises(DatabaseError):
        await probe.now()
    assert (await page.report())[1]["database"] == "failing"
    dependency.works = True
    await probe.now()
    assert (await page.report())[0]
    assert dependency.tries == 3


async def test_a_failure_counts_as_confirmed_only_where_it_still_fails() -> None:
    dependency = Dependency()
    probe = Probe(dependency.work, every_s=60, silence=DatabaseError)
    dependency.works = False
    assert await outcome(probe.confirmed()) == "no space left on device"
    dependency.works = True
    assert await outcome(probe.recent()) == "no space left on device"
    assert await outcome(probe.confirmed()) == "works"
    tries = dependency.tries
    assert await outcome(probe.confirmed()) == "works"
    assert dependency.tries == tries, "what works is believed for a while"
