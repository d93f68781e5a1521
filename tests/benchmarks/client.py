"""Sends jobs as any other system would, by one message each, and times the event that ends them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aio_pika
from aio_pika.abc import AbstractExchange, AbstractIncomingMessage


class JobFailedError(Exception):
    """A job of the measurement did not end well."""


@dataclass(frozen=True)
class Route:
    """Where jobs go in and come out: a topic exchange and two routing keys; `failures` is an exchange to watch.

    `between` are the keys of events on the way, whose times are kept as well.
    """

    exchange: str
    submit_key: str
    done_key: str
    failures: str | None = None
    between: tuple[str, ...] = ()


@dataclass
class Run:
    """One job: the seconds from its submission to each event seen, the last one under the route's `done_key`."""

    began_s: float
    done: "asyncio.Future[float]"
    seen_s: dict[str, float] = field(default_factory=dict)


class Client:
    """A connection to a broker that knows one route."""

    def __init__(self, exchange: AbstractExchange, route: Route) -> None:
        self._exchange = exchange
        self._route = route
        self._runs: dict[str, Run] = {}

    async def submit(self, body: dict[str, object]) -> Run:
        """Publish `body`, whose `job_id` names the job; its time counts from just before."""
        run = Run(time.perf_counter(), asyncio.get_running_loop().create_future())
        self._runs[str(body["job_id"])] = run
        message = aio_pika.Message(
            json.dumps(body).encode(),
            content_type="application/json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        await self._exchange.publish(message, self._route.submit_key)
        return run

    async def time_job_s(self, body: dict[str, object], *, limit_s: float = 60.0) -> float:
        """Submit and wait for the end; the seconds between. Raises JobFailedError and TimeoutError."""
        run = await self.submit(body)
        return await asyncio.wait_for(run.done, limit_s)

    async def take(self, message: AbstractIncomingMessage) -> None:
        """An event has arrived."""
        now = time.perf_counter()
        body = json.loads(message.body)
        run = self._runs.get(str(body.get("job_id")))
        if run is None or run.done.done():
            return
        key = message.routing_key or ""
        if message.exchange == self._route.failures:
            text = str(message.headers.get("x-lectern-public-message"))
            run.done.set_exception(JobFailedError(f"a job ended in {key}: {text}"))
            return
        run.seen_s[key] = now - run.began_s
        if key == self._route.done_key:
            run.done.set_result(now - run.began_s)


@asynccontextmanager
async def connected(amqp_url: str, route: Route) -> AsyncIterator[Client]:
    """A client of the broker at `amqp_url`, whose exchanges exist already."""
    async with await aio_pika.connect(amqp_url) as connection:
        publishing, listening = await connection.channel(), await connection.channel()
        client = Client(await publishing.get_exchange(route.exchange), route)
        queue = await listening.declare_queue(exclusive=True)
        for key in (route.done_key, *route.between):
            await queue.bind(route.exchange, key)
        if route.failures is not None:
            await queue.bind(route.failures, "#")
        await queue.consume(client.take, no_ack=True)
        yield client
