"""What other systems publish is the same message after a retry, and after a dead letter and its replay."""

import hashlib
import json
import uuid
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import aio_pika
import pytest
import pytest_asyncio

from services.gateway.jobs.facts import Addition
from shared.errors import DatabaseError
from shared.messaging.headers import ATTEMPT, QUEUE, REASON
from shared.messaging.topology import DEAD_LETTERS_EXCHANGE, EVENTS_EXCHANGE, PROGRESS
from shared.settings import SharedSettings
from tests.integration.pipeline.event_system import EventSystem, event_system


@pytest_asyncio.fixture
async def system(settings: SharedSettings) -> AsyncIterator[EventSystem]:
    async with event_system(settings) as running:
        yield running


def fail(system: EventSystem, monkeypatch: pytest.MonkeyPatch, error: Exception, times: int) -> None:
    """Let the next `times` submissions that the read model learns of raise `error`."""
    model = system.gateway.read_model
    left, add = times, model.add

    async def failing(job_id: str, addition: Addition, **named: Any) -> Any:
        nonlocal left
        if left and addition.facts.keys() & {"facts.submitted", "facts.refused"}:
            left -= 1
            raise error
        return await add(job_id, addition, **named)

    monkeypatch.setattr(model, "add", failing)


def snippet(system: EventSystem) -> dict[str, Any]:
    job_id = str(uuid.uuid4())
    return {"job_id": job_id, "source": {"key": system.put(f"{job_id}.pdf"), "name": "week-3.pdf"}}


async def test_a_submission_without_a_type_survives_a_retry_of_the_projection(
    system: EventSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(system, monkeypatch, DatabaseError("away for a moment"), 1)
    body = snippet(system)
    await system.publish(body)
    job = await system.until(body["job_id"], lambda job: job["source"]["name"] != "")
    assert job["source"]["name"] == "week-3.pdf"
    assert await system.letters(queue="gateway.progress") == []


async def test_a_submission_without_a_type_survives_dead_letter_and_replay(
    system: EventSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(system, monkeypatch, RuntimeError("a defect"), len(system.settings.retry_delays_s) + 1)
    body = snippet(system)
    await system.publish(body)
    letter = await system.letter(queue="gateway.progress")
    assert letter["reason"] == "attempts-exhausted"
    answer = await system.client.post(f"/v1/dead-letters/{letter['id']}/replay")
    assert answer.status_code == 202, answer.text
    job = await system.until(body["job_id"], lambda job: job["source"]["name"] != "")
    assert job["source"]["name"] == "week-3.pdf"
    assert await system.letters(queue="gateway.progress") == []


async def test_a_submission_without_a_source_is_a_failed_job_after_a_retry_too(
    system: EventSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing but the routing key says that it is a submission."""
    fail(system, monkeypatch, DatabaseError("away for a moment"), 2)
    job_id = str(uuid.uuid4())
    await system.publish({"job_id": job_id})
    job = await system.ended(job_id)
    assert job["status"] == "failed"
    assert "`source`" in job["error"]["message"]
    assert await system.letters() == []


async def test_a_submission_without_a_source_is_a_failed_job_after_dead_letter_and_replay_too(
    system: EventSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(system, monkeypatch, RuntimeError("a defect"), len(system.settings.retry_delays_s) + 1)
    job_id = str(uuid.uuid4())
    await system.publish({"job_id": job_id})
    letter = await system.letter(queue="gateway.progress")
    assert (await system.client.post(f"/v1/dead-letters/{letter['id']}/replay")).status_code == 202
    assert "`source`" in (await system.ended(job_id))["error"]["message"]
    assert await system.letters(queue="gateway.progress") == []


async def test_a_dead_letter_that_an_earlier_version_left_is_replayed_by_what_its_body_says(
    system: EventSystem,
) -> None:
    body = snippet(system)
    connection = await aio_pika.connect(system.settings.amqp_url.get_secret_value())
    async with connection:
        exchange = await (await connection.channel()).get_exchange(DEAD_LETTERS_EXCHANGE.name)
        old = {REASON: "permanent-error", ATTEMPT: 1, QUEUE: PROGRESS.name}
        message = aio_pika.Message(json.dumps(body).encode(), content_type="application/json", headers=old)
        await exchange.publish(message, PROGRESS.name)
    letter = await system.letter(queue="gateway.progress")
    assert (await system.client.post(f"/v1/dead-letters/{letter['id']}/replay")).status_code == 202
    assert (await system.until(body["job_id"], lambda _job: True))["source"]["name"] == "week-3.pdf"


ATTRIBUTES = {"specversion": "1.0", "type": "com.example.lecture", "source": "/lms", "id": "1"}


def cloud_event(body: dict[str, Any], mode: str) -> tuple[bytes, dict[str, Any]]:
    """The body of a message and its properties."""
    plain = json.dumps(body).encode()
    if mode == "structured":
        return json.dumps({**ATTRIBUTES, "data": body}).encode(), {"content_type": "application/cloudevents+json"}
    if mode == "structured, base64":
        encoded = {**ATTRIBUTES, "datacontenttype": "application/json", "data_base64": b64encode(plain).decode()}
        return json.dumps(encoded).encode(), {"content_type": "application/cloudevents+json; charset=UTF-8"}
    if mode == "latin-1":
        text = json.dumps(body, ensure_ascii=False)
        return text.encode("latin-1"), {"content_type": "application/json; charset=ISO-8859-1"}
    headers = {f"{mode}{name}": value for name, value in ATTRIBUTES.items()}
    return plain, {"content_type": "Application/JSON; charset=utf-8", "headers": headers}


@pytest.mark.parametrize(
    "mode", ["structured", "structured, base64", "cloudEvents:", "cloudEvents_", "ce-", "ce_", "latin-1"]
)
async def test_a_cloud_event_in_any_mode_becomes_a_job_after_a_retry_too(
    system: EventSystem, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    fail(system, monkeypatch, DatabaseError("away for a moment"), 1)
    body = snippet(system)
    body["source"]["name"] = "Übung.pdf"
    content, properties = cloud_event(body, mode)
    await system.publish(content, **properties)
    job = await system.until(body["job_id"], lambda job: job["stages"][0]["status"] == "done")
    assert job["source"]["name"] == "Übung.pdf"
    assert await system.letters() == []


async def test_a_submission_without_a_trace_has_the_same_one_everywhere(
    system: EventSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway fails over it, gives it up and is sent it again; ingest publishes what follows."""
    fail(system, monkeypatch, RuntimeError("a defect"), len(system.settings.retry_delays_s) + 1)
    connection = await aio_pika.connect(system.settings.amqp_url.get_secret_value())
    async with connection:
        channel = await connection.channel()
        events = await channel.declare_queue(exclusive=True)
        await events.bind(EVENTS_EXCHANGE.name, "source.ingested.v1")
        body = snippet(system)
        await system.publish(body)
        letter = await system.letter(queue="gateway.progress")
        assert (await system.client.post(f"/v1/dead-letters/{letter['id']}/replay")).status_code == 202
        job = await system.until(body["job_id"], lambda job: job["source"]["name"] != "")
        async with events.iterator(timeout=30) as messages:
            ingested = await anext(messages)
    trace_id = hashlib.sha256(body["job_id"].encode()).hexdigest()[:32]
    assert job["trace_id"] == trace_id
    assert letter["trace_id"] == trace_id
    assert str(ingested.headers["traceparent"]).split("-")[1] == trace_id


async def test_a_submission_s_own_trace_is_kept(system: EventSystem) -> None:
    body = snippet(system)
    own = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    await system.publish(body, headers={"traceparent": own})
    job = await system.until(body["job_id"], lambda job: job["stages"][0]["status"] == "done")
    assert job["trace_id"] == own.split("-")[1]
