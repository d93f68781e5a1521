"""The database hangs while other systems submit: every submission becomes a job that its publisher can see."""

import asyncio
import os
import signal
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.local.database import EmbeddedDatabase
from deploy.local.processes import Child, terminate_all
from deploy.local.programs import start
from shared.settings import SharedSettings
from tests.integration.pipeline.event_system import EventSystem, event_system

# Longer than a database may take to answer: here for less, so that the test is no longer than it has to be.
HUNG_AFTER_MS = 3000
STOPPED_S = 5.0


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[tuple[str, Child]]:
    server = EmbeddedDatabase(tmp_path / "database", durable=False, authenticated=False)
    child = await start(server)
    yield server.url, child
    await terminate_all([child], timeout_s=5)


def submissions(system: EventSystem) -> dict[str, tuple[Any, dict[str, Any]]]:
    """Body and properties by job id: three valid ones, and three that name no more than their job."""
    found: dict[str, tuple[Any, dict[str, Any]]] = {}
    for number in range(3):
        valid, invalid = str(uuid.uuid4()), str(uuid.uuid4())
        body = {"job_id": valid, "source": {"key": system.put(f"{valid}.pdf"), "name": f"{number}.pdf"}}
        event = {"specversion": "1.0", "type": "com.example.lecture", "source": "/lms", "id": "1", "data": body}
        structured = {"content_type": "application/cloudevents+json"}
        found[valid] = (event, structured) if number == 2 else (body, {})
        found[invalid] = ({"job_id": invalid, "colour": number}, {})
    return found


async def test_what_is_submitted_while_the_database_hangs_is_lost_to_nobody(
    settings: SharedSettings, database: tuple[str, Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, server = database
    monkeypatch.setattr("shared.database.HUNG_AFTER_MS", HUNG_AFTER_MS)
    async with event_system(settings.model_copy(update={"mongo_url": SecretStr(url)})) as system:
        sent = submissions(system)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            for body, properties in sent.values():
                await system.publish(body, **properties)
                await asyncio.sleep(STOPPED_S / len(sent))
        finally:
            os.kill(server.pid, signal.SIGCONT)
        for job_id, (body, _) in sent.items():
            job = await system.until(job_id, lambda job: job["stages"][0]["status"] in {"done", "failed"})
            if "colour" in body:
                assert job["status"] == "failed"
                assert "`source`" in job["error"]["message"]
            else:
                assert job["stages"][0]["status"] == "done"
        assert await system.letters() == []
