"""Retry, dead letters, malformed messages and the drain, on a real broker (PIP-4)."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
import pika
import pytest
from faststream.rabbit import RabbitBroker
from opentelemetry.sdk.trace import TracerProvider

from deploy.local.rabbitmq import RabbitNode
from shared.circuit import Circuits
from shared.errors import DatabaseError, EngineError, InvalidSourceError
from shared.events import JobSubmitted, SubmittedSource
from shared.messaging import headers as names
from shared.messaging.broker import create_broker, drain, subscribe
from shared.messaging.publish import Publisher
from shared.messaging.topology import BURIALS, EVENTS_EXCHANGE, SUBMISSIONS, declare_topology
from shared.settings import SharedSettings

EVENT = JobSubmitted(job_id="job-00001", source=SubmittedSource(key="inbox/a.mp4", name="a.mp4"))

Handler = Callable[[JobSubmitted], Awaitable[None]]


@asynccontextmanager
async def running(
    settings: SharedSettings, handler: Handler, prefetch: int = 1, circuits: Circuits | None = None
) -> AsyncIterator[RabbitBroker]:
    async def on_job_submitted(event: JobSubmitted) -> None:
        await handler(event)

    broker = create_broker(settings, TracerProvider(), "test", circuits or Circuits({}))
    subscribe(broker, SUBMISSIONS, on_job_submitted, prefetch=prefetch)
    await broker.connect()
    await declare_topology(broker, settings.retry_delays_s)
    await broker.start()
    yield broker
    await drain(broker, settings.shutdown_s)


async def take(url: str, queue: str, within_s: float = 40) -> aio_pika.abc.AbstractIncomingMessage:
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        source = await channel.get_queue(queue)
        async with asyncio.timeout(within_s):
            while (message := await source.get(fail=False)) is None:
                await asyncio.sleep(0.02)  # AMQP has no way to wait for a single message
        await message.ack()
        return message


async def depth(url: str, queue: str) -> int:
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        declared = await channel.declare_queue(queue, passive=True)
        return declared.declaration_result.message_count or 0


async def publish_raw(url: str, body: bytes, **properties: Any) -> None:
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(EVENTS_EXCHANGE.name)
        await exchange.publish(aio_pika.Message(body, **properties), EVENT.routing_key)


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
        raise InvalidSourceError("This file is empty.", internal="/secret/path")

    async with running(settings, handler) as broker:
        await Publisher(broker, "test")(EVENT, message_id="1")
        message = await take(amqp_url, SUBMISSIONS.dead_letters)
    assert calls == 1
    assert message.headers[names.REASON] == "permanent-error"
    assert message.headers[names.CODE] == "invalid_source"
    assert message.headers[names.PUBLIC_MESSAGE] == "This file is empty."


GOOD = EVENT.model_dump_json().encode()
MALFORMED: dict[str, tuple[bytes, dict[str, Any]]] = {
    "broken JSON": (b"{oops", {"content_type": "application/json"}),
    "wrong schema": (b'{"job_id": 1}', {"content_type": "application/json"}),
    "no content type": (GOOD, {}),
    "text": (GOOD, {"content_type": "text/plain"}),
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


async def test_a_consumer_holds_as_many_messages_as_it_was_given(
    settings: SharedSettings, amqp_url: str, rabbitmq: RabbitNode
) -> None:
    """Prefetch is what shares a queue among replicas. FastStream forgets it for a queue that was declared before."""
    at_once, most, done = 0, 0, asyncio.Event()

    async def handler(_event: JobSubmitted) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await done.wait()

    async with running(settings, handler, prefetch=2) as broker:
        for number in range(6):
            await Publisher(broker, "test")(EVENT, message_id=str(number))
        while await depth(amqp_url, SUBMISSIONS.name) > 4:
            await asyncio.sleep(0.02)
        consumers = rabbitmq.control("list_consumers", "queue_name", "prefetch_count", "--formatter", "json")
        done.set()
    found = {one["queue_name"]: one["prefetch_count"] for one in json.loads(consumers)}
    assert found[SUBMISSIONS.name] == 2
    assert most == 2


async def test_a_drain_finishes_what_runs_and_hands_back_the_rest(settings: SharedSettings, amqp_url: str) -> None:
    begun, finished = asyncio.Event(), 0

    async def handler(_event: JobSubmitted) -> None:
        nonlocal finished
        begun.set()
        await asyncio.sleep(0.5)
        finished += 1

    async with running(settings, handler) as broker:
        publisher = Publisher(broker, "test")
        for number in range(5):
            await publisher(EVENT, message_id=str(number))
        await begun.wait()
    assert finished >= 1
    left = [await take(amqp_url, SUBMISSIONS.name) for _ in range(5 - finished)]
    assert not any(message.headers.get("x-delivery-count") for message in left)


async def test_a_consumer_that_dies_gives_its_message_to_the_next(settings: SharedSettings) -> None:
    begun, done = asyncio.Event(), asyncio.Event()

    async def hang(_event: JobSubmitted) -> None:
        begun.set()
        await asyncio.sleep(60)

    async def finish(_event: JobSubmitted) -> None:
        done.set()

    brief = settings.model_copy(update={"shutdown_s": 0.2})
    async with running(brief, hang) as broker:
        await Publisher(broker, "test")(EVENT, message_id="1")
        await begun.wait()
    async with running(settings, finish):
        await asyncio.wait_for(done.wait(), 40)


async def test_an_outage_is_waited_for_without_using_up_attempts(settings: SharedSettings, amqp_url: str) -> None:
    """More failures than there are attempts, one of them while the dependency answers its probe."""
    away, handled, failures = True, asyncio.Event(), 0
    probed = asyncio.Event()

    async def probe() -> None:
        probed.set()
        if away:
            raise DatabaseError("no answer")

    async def handler(_event: JobSubmitted) -> None:
        nonlocal failures
        if away or failures < 5:
            failures += 1
            raise DatabaseError("broken line")
        handled.set()

    circuits = Circuits({"database": probe})
    async with running(settings, handler, circuits=circuits) as broker:
        await Publisher(broker, "test")(EVENT, message_id="1")
        await asyncio.wait_for(probed.wait(), 40)
        away = False
        await asyncio.wait_for(handled.wait(), 40)
    await circuits.stop()
    assert failures == 5 > len(settings.retry_delays_s)
    assert await depth(amqp_url, SUBMISSIONS.dead_letters) == 0


async def test_while_a_dependency_is_away_no_handler_is_called(settings: SharedSettings) -> None:
    away, calls, handled = True, 0, asyncio.Event()

    async def probe() -> None:
        if away:
            raise DatabaseError("no answer")

    async def handler(_event: JobSubmitted) -> None:
        nonlocal calls
        calls += 1
        if away:
            raise DatabaseError("no answer")
        if calls == 11:
            handled.set()

    circuits = Circuits({"database": probe})
    async with running(settings, handler, circuits=circuits) as broker:
        publisher = Publisher(broker, "test")
        for number in range(10):
            await publisher(EVENT, message_id=str(number))
        await asyncio.sleep(1)  # the first message comes back from its tier several times meanwhile, if it may
        assert calls == 1
        away = False
        await asyncio.wait_for(handled.wait(), 40)
    await circuits.stop()
