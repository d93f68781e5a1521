"""Another system's queue that is bound to `job.ended.v1` hears of every end, however it came."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
import pytest
import pytest_asyncio

from shared.errors import BrokerError, EngineError, InvalidSourceError
from shared.events import Artifact, HandoutRendered, JobEnded
from shared.messaging.topology import EVENTS_EXCHANGE
from shared.settings import SharedSettings
from shared.storage import ObjectRef
from tests.integration.pipeline.event_system import EventSystem, event_system
from tests.integration.pipeline.test_event_submissions import submission

WITHIN_S = 60
REF = ObjectRef(key="rendering/a/b", sha256="0" * 64, size=7)


@pytest_asyncio.fixture
async def system(settings: SharedSettings) -> AsyncIterator[EventSystem]:
    async with event_system(settings) as running:
        yield running


class Ear:
    """A queue of another system."""

    def __init__(self, messages: aio_pika.abc.AbstractQueueIterator) -> None:
        self._messages = messages
        self.ids: list[str] = []

    async def next(self) -> tuple[dict[str, Any], Any]:
        """The next end that was not heard before: its body and the message."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                message = await anext(self._messages)
                await message.ack()
                if message.message_id not in self.ids:
                    self.ids.append(str(message.message_id))
                    return json.loads(message.body), message


@asynccontextmanager
async def listening(system: EventSystem) -> AsyncIterator[Ear]:
    connection = await aio_pika.connect(system.settings.amqp_url.get_secret_value())
    async with connection:
        queue = await (await connection.channel()).declare_queue(exclusive=True)
        await queue.bind(EVENTS_EXCHANGE.name, JobEnded.routing_key)
        async with queue.iterator() as messages:
            yield Ear(messages)


async def render(system: EventSystem, job_id: str, *missing: str) -> None:
    artifacts = (Artifact(name="handout.pdf", object=REF),)
    event = HandoutRendered(job_id=job_id, title="Tides", artifacts=artifacts, missing=missing)
    await system.publish(event.model_dump_json().encode(), key=event.routing_key)


async def submit(system: EventSystem, how: str) -> str:
    """The id of a job that ingest has finished with, or failed with."""
    if how == "http":
        answer = await system.client.post("/v1/jobs", files={"file": ("week-3.pdf", b"a page")})
        return str(answer.json()["job_id"])
    body = submission(system)
    await system.publish(body)
    return str(body["job_id"])


@pytest.mark.parametrize("how", ["http", "event"])
async def test_every_kind_of_end_is_heard(system: EventSystem, how: str) -> None:
    async with listening(system) as ear:
        for missing, status in (((), "done"), (("captions: no speech",), "partial")):
            job_id = await submit(system, how)
            await render(system, job_id, *missing)
            ended, message = await ear.next()
            job = await system.ended(job_id)
            assert (ended["job_id"], ended["status"], ended["run"]) == (job_id, status, 1)
            assert (ended["missing"], ended["title"], ended["error"]) == (list(missing), "Tides", None)
            assert [file["name"] for file in ended["artifacts"]] == ["handout.pdf"]
            assert ended["trace_id"] == job["trace_id"] == str(message.headers["traceparent"]).split("-")[1]

        job_id = await submit(system, how)
        await system.until(job_id, lambda job: job["stages"][0]["status"] == "done")
        assert (await system.client.post(f"/v1/jobs/{job_id}/cancel")).status_code == 202
        ended, _ = await ear.next()
        assert (ended["job_id"], ended["status"]) == (job_id, "cancelled")

        for error in (InvalidSourceError("This file is empty."), EngineError("crashed")):  # refused, and a dead letter
            system.engine.error = error
            job_id = await submit(system, how)
            ended, message = await ear.next()
            assert (ended["job_id"], ended["status"]) == (job_id, "failed")
            assert ended["error"] == {"code": error.code, "message": error.public_message, "stage": "ingest"}
            assert ended["trace_id"] == str(message.headers["traceparent"]).split("-")[1]


async def test_the_end_of_a_submission_that_is_wrong_is_heard(system: EventSystem) -> None:
    async with listening(system) as ear:
        body = submission(system)
        await system.publish(body | {"source": 7})
        ended, message = await ear.next()
        assert (ended["job_id"], ended["status"]) == (body["job_id"], "failed")
        assert "source" in ended["error"]["message"]
        assert ended["trace_id"] == str(message.headers["traceparent"]).split("-")[1]


async def replay(system: EventSystem, job_id: str) -> None:
    """Replay the job's dead letter, which one that is still on its way may stand before."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            letter = await system.letter(job_id=job_id)
            if (await system.client.post(f"/v1/dead-letters/{letter['id']}/replay")).status_code == 202:
                return
            await asyncio.sleep(0.1)


async def test_a_replay_after_a_failure_ends_in_a_second_fact(system: EventSystem) -> None:
    system.engine.error = EngineError("crashed")
    async with listening(system) as ear:
        job_id = await submit(system, "event")
        assert (await ear.next())[0]["status"] == "failed"
        await replay(system, job_id)
        assert (await ear.next())[0]["status"] == "failed"
        system.engine.error = None
        await replay(system, job_id)
        await render(system, job_id)
        assert (await ear.next())[0]["status"] == "done"


async def test_an_end_that_could_not_be_published_is_told_by_the_sweeper(
    system: EventSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(_document: Any) -> None:
        raise BrokerError("as if the process had been killed in between")

    with monkeypatch.context() as patch:
        patch.setattr(system.gateway.ends, "tell", killed)
        job_id = await submit(system, "event")
        await render(system, job_id)
        assert (await system.ended(job_id))["status"] == "done"
        await asyncio.sleep(1)
        async with listening(system) as ear:
            patch.undo()
            ended, _ = await ear.next()
    assert (ended["job_id"], ended["status"]) == (job_id, "done")
