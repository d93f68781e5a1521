"""A service with one handler on a real broker, and looks at its queues."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
from opentelemetry.sdk.trace import TracerProvider

from shared.circuit import Circuits
from shared.events import JobSubmitted, SubmittedSource
from shared.messaging.broker import create_broker, drain, subscribe
from shared.messaging.connection import Broker
from shared.messaging.topology import EVENTS_EXCHANGE, SUBMISSIONS, declare_topology
from shared.settings import SharedSettings

EVENT = JobSubmitted(job_id="job-00001", source=SubmittedSource(key="inbox/a.mp4", name="a.mp4"))

Handler = Callable[[JobSubmitted], Awaitable[None]]


@asynccontextmanager
async def running(
    settings: SharedSettings,
    handler: Handler,
    prefetch: int = 1,
    circuits: Circuits | None = None,
    provider: TracerProvider | None = None,
) -> AsyncIterator[Broker]:
    async def on_job_submitted(event: JobSubmitted) -> None:
        await handler(event)

    broker = create_broker(settings, provider or TracerProvider(), "test", circuits or Circuits({}))
    subscribe(broker, SUBMISSIONS, on_job_submitted, prefetch=prefetch)
    await broker.connect()
    await declare_topology(broker, settings.retry_delays_s)
    await broker.start()
    try:
        yield broker
    finally:
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
