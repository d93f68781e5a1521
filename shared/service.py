"""The frame of every worker: settings, adapters, broker, health page, and an orderly end.

A service gives a `Build`: it receives the opened parts and returns what to subscribe. Nothing happens at import.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from aio_pika.exceptions import AMQPError
from faststream.rabbit import RabbitQueue
from starlette.applications import Starlette
from tenacity import retry, retry_if_exception_type, wait_random_exponential

from shared.circuit import Circuits
from shared.database import Database, open_database
from shared.errors import BrokerError, DatabaseError, ScratchError, StorageError
from shared.health import Health, Probe, health_routes
from shared.http_server.server import serve
from shared.messaging.broker import create_broker, drain
from shared.messaging.connection import Broker
from shared.messaging.earlier import consume_adopted, declare_or_adopt
from shared.messaging.lost import until_lost
from shared.messaging.publish import Publisher
from shared.messaging.queues import check_by_new_connection, check_by_publishing, check_consumers
from shared.scratch import Scratch
from shared.settings import SharedSettings
from shared.storage import ObjectStore, open_store
from shared.storage.check import remove_old_checks
from shared.storage.traced import TracedStore
from shared.telemetry import start_logging, start_tracing
from shared.telemetry.logs import tell_background_errors

log = structlog.get_logger()

# The exit status of a process whose connection to the broker does not come back: EX_TEMPFAIL of sysexits.h.
LOST = 75
# No upload of a living process takes that long.
ABANDONED_S = 86_400.0


@dataclass(frozen=True)
class Parts:
    """What a service is made of. `on_stop` functions run after the last handler, last registered first.

    `background` is work beside the handlers. It is cancelled before the consumers are, while it can still publish.
    """

    service: str
    settings: SharedSettings
    store: ObjectStore
    database: Database
    broker: Broker
    publish: Publisher
    scratch: Scratch
    probes: Mapping[str, Probe]
    health: Health
    on_stop: AsyncExitStack = field(default_factory=AsyncExitStack)
    background: set[asyncio.Task[None]] = field(default_factory=set)

    def run_in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work`, which ends only when it is cancelled, until the service is told to stop.

        Where it fails the process ends, to be started anew: nobody else does what it did.
        """
        task = asyncio.create_task(work)
        task.add_done_callback(_end_process_on_failure)
        self.background.add(task)


Build = Callable[[Parts], Awaitable[None]]


@asynccontextmanager
async def open_parts(service: str, settings: SharedSettings) -> AsyncIterator[Parts]:
    """Open what `service` is made of. The broker is created, not connected; servers may still be away."""
    tracer_provider = start_tracing(service)
    async with AsyncExitStack() as stack:
        stack.callback(tell_background_errors(asyncio.get_running_loop()))
        store = TracedStore(await stack.enter_async_context(open_store(settings)), settings.storage)
        database = await stack.enter_async_context(open_database(settings, service))
        scratch = Scratch(settings.home / "scratch" / service)
        probes = {
            "database": Probe(database.check, every_s=settings.health_every_s, silence=DatabaseError),
            "storage": Probe(store.check, every_s=settings.health_every_s, silence=StorageError),
            "scratch": Probe(scratch.check, every_s=settings.health_every_s, silence=ScratchError),
        }
        circuits = Circuits({name: probe.now for name, probe in probes.items()})
        stack.push_async_callback(circuits.stop)
        broker = create_broker(settings, tracer_provider, service, circuits)
        working = partial(_check_broker, broker)
        probes["broker"] = Probe(working, every_s=settings.health_every_s, silence=BrokerError)
        parts = Parts(
            service=service,
            settings=settings,
            store=store,
            database=database,
            broker=broker,
            publish=Publisher(broker, service),
            scratch=scratch,
            probes=probes,
            health=Health({name: probe.recent for name, probe in probes.items()}),
        )
        await asyncio.to_thread(parts.scratch.clean)
        stack.callback(tracer_provider.shutdown)
        stack.callback(parts.scratch.remove)
        await stack.enter_async_context(parts.on_stop)
        yield parts


async def _check_broker(broker: Broker) -> None:
    await check_by_publishing(broker)
    await check_consumers(broker)


@asynccontextmanager
async def consuming(parts: Parts, build: Build) -> AsyncIterator[None]:
    """Connect, build and consume in the background while the context lasts; drain at its end.

    The health page answers from the start: live at once, ready when everything is.
    """
    starting = asyncio.create_task(_start(parts, build))
    starting.add_done_callback(_end_process_on_failure)
    watching = asyncio.create_task(_end_when_lost(parts))
    watching.add_done_callback(_end_process_on_failure)
    try:
        yield
    finally:
        parts.health.stopping = True
        await _cancel([starting, watching])
        await _cancel(parts.background)  # what it has not published, it has noted: the next start does it
        await drain(parts.broker, parts.settings.shutdown_s)


async def _cancel(tasks: Collection[asyncio.Task[None]]) -> None:
    left = set(tasks)
    while left:  # asyncio.wait_for swallows a cancellation that comes as what it waits for ends, up to Python 3.11
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=1)


def _end_process_on_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("service cannot go on", exc_info=error)
        os._exit(1)  # the supervisor starts it again; what it holds is delivered again


async def _end_when_lost(parts: Parts) -> None:
    url = parts.settings.amqp_url.get_secret_value()
    new_connection = Probe(partial(check_by_new_connection, url), every_s=0, silence=BrokerError)
    await until_lost(parts.probes["broker"].confirmed, new_connection.now)
    os._exit(LOST)  # the supervisor starts it again


async def _start(parts: Parts, build: Build) -> None:
    adopted: dict[str, RabbitQueue] = {}

    async def declare() -> None:
        await parts.broker.connect()
        try:
            adopted.update(await declare_or_adopt(parts.broker, parts.settings.retry_delays_s))
        except RuntimeError as error:  # aio-pika's word for a connection that has closed meanwhile
            raise BrokerError(str(error)) from error

    await until_it_answers(declare, "broker")
    await until_it_answers(parts.probes["database"].now, "database")
    await until_it_answers(parts.probes["storage"].now, "storage")
    await parts.store.abandon(f"{parts.service}/", time.time() - ABANDONED_S)
    await until_it_answers(partial(remove_old_checks, parts.store), "storage")
    await build(parts)
    consume_adopted(parts.broker, adopted)
    await parts.broker.start()
    # Tried last and anew: what was found while it was still away is not told once everything works.
    await until_it_answers(parts.probes["scratch"].now, "scratch")
    await until_it_answers(parts.probes["broker"].now, "broker")
    parts.health.started = True
    log.info("service is ready")


async def until_it_answers(connect: Callable[[], Awaitable[object]], what: str) -> None:
    """Try `connect` until it works, at most two seconds apart, saying once that something is waited for."""
    waiting = retry(
        retry=retry_if_exception_type((OSError, AMQPError, BrokerError, DatabaseError, ScratchError, StorageError)),
        wait=wait_random_exponential(multiplier=0.1, max=2),
        before_sleep=lambda state: (
            log.warning("waiting for a dependency", dependency=what) if state.attempt_number == 3 else None
        ),
    )
    await waiting(connect)()


def run_worker(service: str, settings: SharedSettings, port: int, build: Build) -> None:
    """Run a worker service until it is told to stop. Blocks."""
    start_logging(service, settings.log_level, settings.log_format)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_parts(service, settings) as parts:
            # What engines and the programs they run put into temporary files is cleaned up with the rest.
            os.environ["TMPDIR"] = str(parts.scratch.path)
            async with consuming(parts, build):
                app.state.health = parts.health
                yield

    serve(Starlette(routes=health_routes(), lifespan=lifespan), settings.host, port, settings.shutdown_s)
