"""What the gateway publishes by itself ends before its consumers do, while its connection still works (PIP-4)."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import structlog

from services.gateway.app import create_app
from services.gateway.dead_letters.office import DeadLetterOffice
from services.gateway.jobs.sweeper import Sweeper
from services.gateway.settings import GatewaySettings
from shared import service
from shared.events import JobDeleted
from shared.messaging.connection import Broker
from shared.messaging.publish import message_id
from shared.settings import SharedSettings


@pytest_asyncio.fixture(loop_scope="session")
async def shared(tmp_path: Path, rabbitmq: Any, mongo_url: str, database_name: str) -> SharedSettings:
    return SharedSettings(
        home=tmp_path, amqp_url=rabbitmq.url, mongo_url=mongo_url, mongo_prefix=database_name, shutdown_s=5
    )


async def until_ready(app: Any) -> None:
    async with asyncio.timeout(60):
        while not app.state.health.started:
            await asyncio.sleep(0.05)


async def test_sweeper_and_replays_end_before_the_consumers_and_can_still_publish(
    shared: SharedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    real_drain = service.drain

    async def run(self: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            if isinstance(self, Sweeper):
                event = JobDeleted(job_id="job-of-nobody")
                await self._lifecycle._publish(event, message_id=message_id(event))
            order.append(type(self).__name__)

    async def drain(broker: Broker, timeout_s: float) -> None:
        order.append("drain")
        await real_drain(broker, timeout_s)

    monkeypatch.setattr(Sweeper, "run", run)
    monkeypatch.setattr(DeadLetterOffice, "run", run)
    monkeypatch.setattr(service, "drain", drain)
    app = create_app(shared, GatewaySettings())
    async with app.router.lifespan_context(app):
        await until_ready(app)
    assert sorted(order[:2]) == ["DeadLetterOffice", "Sweeper"]
    assert order[2:] == ["drain"]


async def test_a_sweeper_that_fails_ends_the_process(shared: SharedSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def run(_self: Sweeper) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Sweeper, "run", run)
    monkeypatch.setattr(os, "_exit", lambda status: ended.done() or ended.set_result(status))
    app = create_app(shared, GatewaySettings())
    with structlog.testing.capture_logs() as logs:
        async with app.router.lifespan_context(app), asyncio.timeout(60):
            assert await ended == 1
    assert "service cannot go on" in [line["event"] for line in logs]
