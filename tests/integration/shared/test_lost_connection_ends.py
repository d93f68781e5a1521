"""A service whose connection to the broker does not come back says that it is not ready, and ends (PIP-4, OPS-8)."""

import asyncio
import contextlib
import os
from functools import partial

import pytest
import pytest_asyncio
import structlog

from shared import service
from shared.errors import BrokerError
from shared.events import JobSubmitted
from shared.messaging.broker import subscribe
from shared.messaging.connection import Broker
from shared.messaging.lost import until_lost
from shared.messaging.topology import SUBMISSIONS
from shared.service import Parts, consuming, open_parts
from shared.settings import SharedSettings


class EndedError(Exception):
    """Stands for the end of the process."""


async def _build(parts: Parts) -> None:
    async def ignore(event: JobSubmitted) -> None:
        pass

    subscribe(parts.broker, SUBMISSIONS, ignore, prefetch=1)


async def _until_ready(parts: Parts, *, ready: bool) -> dict[str, str]:
    async with asyncio.timeout(30):
        while (found := await parts.health.report())[0] is not ready:
            await asyncio.sleep(0.1)
    return found[1]


async def _lose_consumers(parts: Parts) -> None:
    """Leave the connection as it was found after a night of disks that filled: alive, and without its consumers."""
    for subscriber in parts.broker.subscribers:
        await subscriber._queue_obj.channel.close()


async def _break_without_reconnecting(parts: Parts) -> None:
    """Leave the connection as it was found after another such night: closed, and nobody opens it again."""
    connection = await parts.broker.connect()
    mending = next(task for task in asyncio.all_tasks() if "__connection_factory" in repr(task.get_coro()))
    mending.cancel()
    await asyncio.wait([mending])
    assert connection.transport is not None
    await connection.transport.connection.close(ConnectionError("cut"))


@pytest_asyncio.fixture
async def ended(monkeypatch: pytest.MonkeyPatch) -> asyncio.Future[int]:
    """With what status the process ends, which it does soon where it does."""
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def end(status: int) -> None:
        if not future.done():
            future.set_result(status)
        raise EndedError

    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(service, "until_lost", partial(until_lost, every_s=0.1, patience_s=1.0))
    return future


@pytest.mark.parametrize("broken", [_lose_consumers, _break_without_reconnecting])
async def test_a_service_without_its_connection_is_not_ready_and_ends(
    settings: SharedSettings, ended: asyncio.Future[int], broken: service.Build
) -> None:
    quick = settings.model_copy(update={"health_every_s": 0.1})
    with structlog.testing.capture_logs() as logs, contextlib.suppress(EndedError):
        async with open_parts("test", quick) as parts, consuming(parts, _build):
            await _until_ready(parts, ready=True)
            await asyncio.sleep(1.5)
            assert not ended.done()
            await broken(parts)
            told = await _until_ready(parts, ready=False)
            assert told["broker"] == "failing"
            async with asyncio.timeout(30):
                assert await ended == service.LOST
    assert any("does not come back" in line["event"] for line in logs)


async def test_a_failure_that_is_over_ends_nothing_however_seldom_readiness_is_tried(
    settings: SharedSettings, ended: asyncio.Future[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([BrokerError("for a moment")])

    async def fails_once(_broker: Broker) -> None:
        if error := next(answers, None):
            raise error

    seldom = settings.model_copy(update={"health_every_s": 600.0})
    with contextlib.suppress(EndedError):
        async with open_parts("test", seldom) as parts, consuming(parts, _build):
            await _until_ready(parts, ready=True)
            monkeypatch.setattr(service, "check_consumers", fails_once)
            with pytest.raises(BrokerError):
                await parts.probes["broker"].now()
            await asyncio.sleep(1.5)
            assert not ended.done()
            await _until_ready(parts, ready=True)
