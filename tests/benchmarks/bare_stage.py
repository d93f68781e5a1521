"""One stage of the bare chain: takes a message, sends it on. What the framework alone costs.

`python -m tests.benchmarks.bare_stage N`: durable quorum queues, persistent and confirmed messages, tracing as in the
product, and nothing else. The broker is named in LECTERN_AMQP_URL; `ready` is printed when it consumes.
"""

import asyncio
import os
import sys

from faststream.rabbit import Channel, ExchangeType, QueueType, RabbitBroker, RabbitExchange, RabbitQueue
from faststream.rabbit.opentelemetry import RabbitTelemetryMiddleware
from opentelemetry.sdk.trace import TracerProvider
from pydantic import BaseModel

EXCHANGE = "bench.chain"
STAGES = 4


class Job(BaseModel):
    """What travels: as much as an event of the product says of a job and an object."""

    job_id: str
    recording: str = "s3://bucket/recordings/2026/01/01/lecture.wav"
    seconds: float = 12.5
    language: str = "en"


def key(stage: int) -> str:
    """The routing key of what goes into `stage`, counted from 0; the one after the last ends the job."""
    return f"chain.{stage}"


def build(amqp_url: str, stage: int) -> RabbitBroker:
    """The broker of one stage."""
    broker = RabbitBroker(
        amqp_url,
        middlewares=[RabbitTelemetryMiddleware(tracer_provider=TracerProvider())],
        default_channel=Channel(on_return_raises=True),
        logger=None,
    )
    exchange = RabbitExchange(EXCHANGE, type=ExchangeType.TOPIC, durable=True)
    queue = RabbitQueue(key(stage), queue_type=QueueType.QUORUM, durable=True, routing_key=key(stage))
    publisher = broker.publisher(exchange=exchange, routing_key=key(stage + 1), persist=True)

    @broker.subscriber(queue, exchange, channel=Channel(prefetch_count=10))
    async def on_job(job: Job) -> None:
        await publisher.publish(job)

    return broker


async def main() -> None:
    """Consume until killed."""
    broker = build(os.environ["LECTERN_AMQP_URL"], int(sys.argv[1]))
    await broker.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
