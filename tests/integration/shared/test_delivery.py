"""Retry, dead letters, malformed messages and the drain, on a real broker (PIP-4)."""

import asyncio
import gzip
import json
from typing import Any

import pika
import pytest

from shared.errors import EngineError, InvalidSourceError, PipelineError
from shared.events import JobSubmitted, SourceRefused
from shared.messaging import delivery
from shared.messaging import headers as names
from shared.messaging.delivery import RetryMiddleware
from shared.messaging.publish import Publisher
from shared.messaging.topology import BURIALS, PROGRESS, SUBMISSIONS
from shared.settings import SharedSettings
from tests.integration.shared.consuming import EVENT, depth, publish_raw, running, take


async def test_a_passing_fault_is_retried_until_it_works(settings: SharedSettings) -> None:
    seen: list[JobSubmitted] = []
    worked = asyncio.Event()

    async def handler(event: JobSubmitted) -> None:
        seen.append(event)
        if len(seen) < 3:
            raise EngineError("busy")
        worked.set()

    async with running(settings, handler) as broker:
        await Publisher(broker, "test")(EVENT, message_id="1")
        await asyncio.wait_for(worked.wait(), 40)
    assert seen == [EVENT] * 3
    assert await depth(settings.amqp_url.get_secret_value(), SUBMISSIONS.name) == 0


async def test_a_failed_message_of_which_no_copy_is_taken_stays_where_it_is(
    settings: SharedSettings, amqp_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0
    worked = asyncio.Event()
    republish = RetryMiddleware._republish

    async def handler(_event: JobSubmitted) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            monkeypatch.setattr(RetryMiddleware, "_republish", republish)
        if calls < 3:
            raise EngineError("busy")
        worked.set()

    async def refused(*_: object) -> None:
        raise TimeoutError("the broker takes nothing")

    monkeypatch.setattr(delivery, "HOLD_S", 0.1)
    monkeypatch.setattr(RetryMiddleware, "_republish", refused)
    async with running(settings, handler) as broker:
        await Publisher(broker, "test")(EVENT, message_id="1")
        await asyncio.wait_for(worked.wait(), 40)
    assert await depth(amqp_url, SUBMISSIONS.name) == 0


async def test_the_last_attempt_is_buried_with_its_history(settings: SharedSettings, amqp_url: str) -> None:
    async def handler(_event: JobSubmitted) -> None:
        raise EngineError("still busy")

    async with running(settings, handler) as broker:
        await Publisher(broker, "test")(EVENT, message_id="1")
        message = await take(amqp_url, SUBMISSIONS.dead_letters)
        copy = await take(amqp_url, BURIALS.name)
    headers = message.headers
    assert headers[names.REASON] == "attempts-exhausted"
    assert headers[names.ATTEMPT] == len(settings.retry_delays_s) + 1
    history = json.loads(str(headers[names.HISTORY]))
    assert [entry["attempt"] for entry in history] == [1, 2, 3]
    assert {entry["text"] for entry in history} == {"still busy"}
    assert headers["traceparent"]
    assert JobSubmitted.model_validate_json(message.body) == EVENT
    assert copy.body == message.body
    assert copy.headers[names.PUBLIC_MESSAGE] == EngineError.default_message


async def test_a_permanent_fault_is_buried_at_once_with_its_public_message(
    settings: SharedSettings, amqp_url: str
) -> None:
    calls = 0

    async def handler(_event: JobSubmitted) -> None:
        nonlocal calls
        calls += 1
        raise PipelineError("/secret/path", public_message="There is no plan.")

    async with running(settings, handler) as broker:
        await Publisher(broker, "test")(EVENT, message_id="1")
        message = await take(amqp_url, SUBMISSIONS.dead_letters)
    assert calls == 1
    assert message.headers[names.REASON] == "permanent-error"
    assert message.headers[names.CODE] == "pipeline"
    assert message.headers[names.PUBLIC_MESSAGE] == "There is no plan."


async def test_a_fault_of_the_source_is_told_and_buries_nothing(settings: SharedSettings, amqp_url: str) -> None:
    calls = 0

    async def handler(_event: JobSubmitted) -> None:
        nonlocal calls
        calls += 1
        raise InvalidSourceError("This file is empty.", internal="/secret/path")

    async with running(settings, handler) as broker:
        await Publisher(broker, "test")(EVENT.model_copy(update={"run": 3}), message_id="1")
        submitted, refused = await take(amqp_url, PROGRESS.name), await take(amqp_url, PROGRESS.name)
    assert submitted.routing_key == EVENT.routing_key
    assert refused.routing_key == SourceRefused.routing_key
    told = SourceRefused.model_validate_json(refused.body)
    assert (told.job_id, told.run, told.stage) == (EVENT.job_id, 3, "ingest")
    assert (told.code, told.message, told.retry_helps) == ("invalid_source", "This file is empty.", False)
    assert calls == 1
    assert await depth(amqp_url, SUBMISSIONS.dead_letters) == 0
    assert await depth(amqp_url, SUBMISSIONS.name) == 0


GOOD = EVENT.model_dump_json().encode()
MALFORMED: dict[str, tuple[bytes, dict[str, Any]]] = {
    "broken JSON": (b"{oops", {"content_type": "application/json"}),
    "wrong schema": (b'{"job_id": 1}', {"content_type": "application/json"}),
    "no content type": (b"{}", {}),
    "text": (b"job-00001", {"content_type": "text/plain"}),
    "binary": (b"\x00\xff", {"content_type": "application/octet-stream"}),
    "latin-1": ('{"job_id": "é"}'.encode("latin-1"), {"content_type": "application/json"}),
    "a list": (b"[1, 2]", {"content_type": "application/json"}),
    "compressed": (gzip.compress(GOOD), {"content_type": "application/json", "content_encoding": "gzip"}),
    "empty": (b"", {"content_type": "application/json"}),
    "null": (b"null", {"content_type": "application/json"}),
    "hostile attempt header": (b"{", {"content_type": "application/json", "headers": {names.ATTEMPT: "many"}}),
    "cloud event without data": (b"{}", {"content_type": "application/cloudevents+json"}),
    "nested too deep": (b"[" * 20_000 + b"]" * 20_000, {"content_type": "application/json"}),
    "path in id": (b'{"job_id": "../../x", "source": {}}', {"content_type": "application/json"}),
}


@pytest.mark.parametrize("kind", MALFORMED)
async def test_a_malformed_message_is_buried_and_the_queue_goes_on(
    settings: SharedSettings, amqp_url: str, kind: str
) -> None:
    body, properties = MALFORMED[kind]
    handled = asyncio.Event()

    async def handler(_event: JobSubmitted) -> None:
        handled.set()

    async with running(settings, handler) as broker:
        await publish_raw(amqp_url, body, **properties)
        message = await take(amqp_url, SUBMISSIONS.dead_letters)
        assert not handled.is_set()
        await Publisher(broker, "test")(EVENT, message_id="1")
        await asyncio.wait_for(handled.wait(), 40)
    assert message.body == body
    assert message.headers[names.REASON] in ("invalid-message", "permanent-error")
    assert message.headers[names.CODE] == "invalid_message"


async def test_headers_that_cannot_be_sent_as_they_came_do_not_hold_a_message_up(
    settings: SharedSettings, amqp_url: str
) -> None:
    """Other clients write strings in any encoding."""

    async def handler(_event: JobSubmitted) -> None:
        raise AssertionError("it cannot be read")

    async with running(settings, handler):
        connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
        channel = connection.channel()
        channel.confirm_delivery()
        properties = pika.BasicProperties(headers={"name": b"\xff\xfe"}, content_type="application/json")
        channel.basic_publish("", SUBMISSIONS.name, b"{", properties)
        connection.close()
        message = await take(amqp_url, SUBMISSIONS.dead_letters)
    assert message.headers["name"] == bytearray(b"\xff\xfe")
    assert message.headers[names.REASON] == "invalid-message"


@pytest.mark.parametrize("mode", ["binary", "structured", "plain"])
async def test_events_of_other_systems_are_understood(settings: SharedSettings, amqp_url: str, mode: str) -> None:
    seen = asyncio.Queue[JobSubmitted]()
    attributes = {"specversion": "1.0", "type": "job.submitted.v1", "source": "/lms", "id": "1"}
    body, properties = GOOD, {"content_type": "application/json; charset=utf-8"}
    if mode == "binary":
        properties["headers"] = {f"cloudEvents:{name}": value for name, value in attributes.items()}  # type: ignore[assignment]  # values of both kinds
    if mode == "structured":
        body = json.dumps({**attributes, "data": json.loads(GOOD)}).encode()
        properties["content_type"] = "application/cloudevents+json"

    async with running(settings, seen.put):
        await publish_raw(amqp_url, body, **properties)
        assert await asyncio.wait_for(seen.get(), 40) == EVENT
