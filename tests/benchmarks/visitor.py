"""A client that comes back when the broker does: it loses no job of its own, and hears of the end of each."""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import AMQPError, DeliveryError

from shared.events import JobSubmitted
from tests.benchmarks.client import Route

QUEUE = "bench.visitor"
AGAIN_S = 0.1
CONFIRM_LIMIT_S = 5.0
_LOST = (AMQPError, DeliveryError, OSError, RuntimeError, TimeoutError)  # RuntimeError: the channel is closed already


@dataclass(frozen=True)
class Heard:
    """One event: when it came, by `time.perf_counter`, its routing key, and its job."""

    at_s: float
    key: str
    job_id: str
    failure: bool = False


@dataclass
class Visitor:
    """Publishes to a route until confirmed, and keeps every event of it, each delivery of a message counted once."""

    amqp_url: str
    route: Route
    heard: list[Heard] = field(default_factory=list)
    _channel: AbstractChannel | None = None

    async def submit(self, job: JobSubmitted) -> None:
        """Publish until the broker says that it has it."""
        message = aio_pika.Message(
            job.model_dump_json().encode(),
            content_type="application/json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        while True:
            with contextlib.suppress(*_LOST):
                async with asyncio.timeout(CONFIRM_LIMIT_S):
                    await self._publish(message)
                    return
            await asyncio.sleep(AGAIN_S)

    async def _publish(self, message: aio_pika.Message) -> None:
        if self._channel is None:
            raise OSError("not connected")
        exchange = await self._channel.get_exchange(self.route.exchange, ensure=False)
        await exchange.publish(message, self.route.submit_key)

    async def stay(self) -> None:
        """Connect, and again whenever the connection is lost, until cancelled."""
        while True:
            with contextlib.suppress(*_LOST):
                await self._visit()
            self._channel = None
            await asyncio.sleep(AGAIN_S)

    async def _visit(self) -> None:
        async with await aio_pika.connect(self.amqp_url, timeout=CONFIRM_LIMIT_S) as connection:
            listening, publishing = await connection.channel(), await connection.channel()
            await (await self._queue(listening)).consume(self._hear)
            self._channel = publishing
            while not connection.is_closed and not listening.is_closed and not publishing.is_closed:
                await asyncio.sleep(AGAIN_S / 2)

    async def _queue(self, channel: AbstractChannel) -> AbstractQueue:
        """A queue that outlives the broker, bound to the route's events."""
        queue = await channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        for key in (self.route.done_key, *self.route.between):
            await queue.bind(self.route.exchange, key)
        if self.route.failures is not None:
            await queue.bind(self.route.failures, "#")
        return queue

    async def _hear(self, message: AbstractIncomingMessage) -> None:
        job_id = str(json.loads(message.body).get("job_id"))
        key = message.routing_key or ""
        known = any(heard.job_id == job_id and heard.key == key for heard in self.heard)
        if not (message.redelivered and known):  # the same delivery again, since the broker died before our word
            failure = message.exchange == self.route.failures
            self.heard.append(Heard(time.perf_counter(), key, job_id, failure))
        with contextlib.suppress(*_LOST):
            await message.ack()

    async def first(self, key: str, *, after_s: float, limit_s: float) -> float:
        """When the first event under `key` came after `after_s`, once it has. Raises TimeoutError."""
        async with asyncio.timeout(limit_s):
            while True:
                for heard in self.heard:
                    if heard.key == key and heard.at_s > after_s:
                        return heard.at_s
                await asyncio.sleep(0.005)

    def ended(self) -> set[str]:
        """Jobs whose end was told, good or bad."""
        return {heard.job_id for heard in self.heard if heard.failure or heard.key == self.route.done_key}


@asynccontextmanager
async def visiting(amqp_url: str, route: Route) -> AsyncIterator[Visitor]:
    """A visitor who is connected, for as long as the context lasts."""
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # that the broker is away is what is measured
    visitor = Visitor(amqp_url, route)
    staying = asyncio.create_task(visitor.stay())
    try:
        async with asyncio.timeout(30):
            while visitor._channel is None:
                await asyncio.sleep(AGAIN_S)
        yield visitor
    finally:
        staying.cancel()
        await asyncio.wait([staying])
