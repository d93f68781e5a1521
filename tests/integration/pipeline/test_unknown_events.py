"""Events that this version does not read: a newer one does, while replicas are exchanged, or did before it went."""

import uuid
from collections.abc import AsyncIterator

import aio_pika
import pytest
import pytest_asyncio

from shared.messaging.topology import EVENTS_EXCHANGE, PROGRESS, SUBMISSIONS
from shared.settings import SharedSettings
from tests.integration.pipeline.event_system import EventSystem, event_system

KEY = "job.tagged.v1"


@pytest_asyncio.fixture
async def system(settings: SharedSettings) -> AsyncIterator[EventSystem]:
    """Both of whose queues a newer version has bound to an event of its own."""
    async with event_system(settings) as running:
        async with await aio_pika.connect(settings.amqp_url.get_secret_value()) as connection:
            channel = await connection.channel()
            for queue in (PROGRESS, SUBMISSIONS):
                await (await channel.get_queue(queue.name)).bind(EVENTS_EXCHANGE.name, KEY)
        yield running


@pytest.mark.parametrize("body", ["of a submission", "of its own", "not JSON"])
async def test_an_unknown_event_is_ignored_and_nobody_s_dead_letter(system: EventSystem, body: str) -> None:
    unknown, known = str(uuid.uuid4()), str(uuid.uuid4())
    source = {"key": system.put("a.pdf"), "name": "a.pdf"}
    sent = {
        "of a submission": {"job_id": unknown, "source": source},
        "of its own": {"job_id": unknown, "tags": ["maths"]},
        "not JSON": b"\x00",
    }[body]
    await system.publish(sent, key=KEY, type=KEY)
    await system.publish({"job_id": known, "source": source})
    await system.until(known, lambda job: job["stages"][0]["status"] == "done")
    assert await system.job(unknown) is None
    assert [request.name for request in system.engine.asked] == ["a.pdf"]
    assert await system.letters() == []
    async with await aio_pika.connect(system.settings.amqp_url.get_secret_value()) as connection:
        channel = await connection.channel()
        for queue in (PROGRESS, SUBMISSIONS):
            declared = await channel.declare_queue(queue.name, passive=True)
            assert declared.declaration_result.message_count == 0


async def test_a_message_without_an_event_s_name_is_still_looked_at_by_an_administrator(system: EventSystem) -> None:
    async with await aio_pika.connect(system.settings.amqp_url.get_secret_value()) as connection:
        channel = await connection.channel()
        message = aio_pika.Message(b'{"job_id": "lecture-7"}', content_type="application/json")
        await channel.default_exchange.publish(message, PROGRESS.name)
    assert (await system.letter(queue=PROGRESS.name))["reason"]
