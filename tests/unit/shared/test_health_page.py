"""Live says that the process answers, ready that what it needs answers too; nothing sensitive is told (GAT-8)."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette

from shared import health as health_module
from shared.errors import DatabaseError
from shared.health import Health, health_routes


async def fine() -> None:
    pass


async def broken() -> None:
    raise DatabaseError("mongodb://lectern:hunter2@database refused")


async def silent() -> None:
    await asyncio.sleep(600)


async def ask(health: Health, path: str) -> httpx.Response:
    app = Starlette(routes=health_routes())
    app.state.health = health
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        return await client.get(path)


async def test_ready_when_started_and_everything_answers() -> None:
    health = Health({"broker": fine, "database": fine})
    starting = await ask(health, "/health/ready")
    assert (starting.status_code, starting.json()["parts"]["service"]) == (503, "starting")
    health.started = True
    ready = await ask(health, "/health/ready")
    assert ready.status_code == 200
    assert ready.json() == {"status": "ok", "parts": {"broker": "ok", "database": "ok", "service": "ok"}}
    health.stopping = True
    assert (await ask(health, "/health/ready")).json()["parts"]["service"] == "stopping"


async def test_a_failing_part_is_named_and_its_secrets_are_not() -> None:
    health = Health({"broker": fine, "database": broken})
    health.started = True
    answer = await ask(health, "/health/ready")
    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "parts": {"broker": "ok", "database": "failing", "service": "ok"}}


async def test_a_part_that_does_not_answer_is_failing_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_module, "CHECK_TIMEOUT_S", 0.05)
    health = Health({"storage": silent})
    async with asyncio.timeout(5):
        assert (await ask(health, "/health/ready")).json()["parts"]["storage"] == "failing"


async def test_live_asks_nobody() -> None:
    answer = await ask(Health({"database": broken}), "/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
