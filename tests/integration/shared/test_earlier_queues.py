"""A system whose queues were declared by an earlier version goes on with them, and loses nothing (PIP-1, OPS-8)."""

import asyncio
import json
import os
import re
import subprocess
import sys

import aio_pika
from opentelemetry.sdk.trace import TracerProvider

from deploy.local.processes import free_ports
from deploy.local.rabbitmq import RabbitNode
from shared.circuit import Circuits
from shared.events import JobSubmitted
from shared.messaging.broker import create_broker, drain, subscribe
from shared.messaging.earlier import EARLIER_DELIVERY_LIMITS, consume_adopted, declare_or_adopt
from shared.messaging.topology import SPEECH, SUBMISSIONS, WORK_QUEUES, WorkQueue, rabbit_queue
from shared.settings import SharedSettings
from tests.integration.shared.consuming import EVENT


async def _declare(url: str, queue: WorkQueue, delivery_limit: int) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        arguments = rabbit_queue(queue, delivery_limit).arguments
        await channel.declare_queue(queue.name, durable=True, arguments=arguments)


async def _leave_message(url: str) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        message = aio_pika.Message(EVENT.model_dump_json().encode(), content_type="application/json", message_id="left")
        await channel.default_exchange.publish(message, SUBMISSIONS.name)


async def test_what_an_earlier_version_left_is_taken_after_the_upgrade_and_after_a_cut_connection(
    settings: SharedSettings, amqp_url: str, rabbitmq: RabbitNode
) -> None:
    earlier = [queue for queue in WORK_QUEUES if queue != SPEECH]  # that one was renewed meanwhile
    for queue in earlier:
        await _declare(amqp_url, queue, EARLIER_DELIVERY_LIMITS[0])
    await _leave_message(amqp_url)
    taken: asyncio.Queue[str] = asyncio.Queue()

    async def on_job_submitted(event: JobSubmitted) -> None:
        await taken.put(event.job_id)

    broker = create_broker(settings, TracerProvider(), "test", Circuits({}))
    adopted = await declare_or_adopt(broker, settings.retry_delays_s)
    assert set(adopted) == {queue.name for queue in earlier}
    subscribe(broker, SUBMISSIONS, on_job_submitted, prefetch=1)
    subscribe(broker, SPEECH, on_job_submitted, prefetch=1)
    consume_adopted(broker, adopted)
    await broker.start()
    try:
        async with asyncio.timeout(30):
            assert await taken.get() == EVENT.job_id
            await asyncio.to_thread(rabbitmq.control, "close_all_connections", "a test")
            await _leave_message(amqp_url)
            assert await taken.get() == EVENT.job_id
    finally:
        await drain(broker, settings.shutdown_s)


async def test_nothing_is_adopted_where_all_is_as_today(settings: SharedSettings) -> None:
    for _ in range(2):
        broker = create_broker(settings, TracerProvider(), "test", Circuits({}))
        assert await declare_or_adopt(broker, settings.retry_delays_s) == {}
        await broker.stop()


async def test_a_queue_of_another_kind_under_our_name_is_refused_by_its_name(
    settings: SharedSettings, amqp_url: str
) -> None:
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        await channel.declare_queue(SPEECH.name, durable=True)
    environment = os.environ | {
        "LECTERN_HOME": str(settings.home),
        "LECTERN_AMQP_URL": amqp_url,
        "LECTERN_MONGO_URL": settings.mongo_url.get_secret_value(),
        "INGEST_HEALTH_PORT": str(free_ports(1)[0]),
    }
    command = [sys.executable, "-m", "services.ingest"]
    done = await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    last = json.loads(done.stderr.splitlines()[-1])
    assert last["event"] == "service cannot go on"
    assert re.search(r"TopologyConflictError.*transcription\.speech.*docs/operations\.md", last["exception"])
