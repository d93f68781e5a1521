"""What a job costs beside its engines, against a bare chain of four FastStream processes on the same broker."""

import asyncio
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aio_pika

from deploy.local.processes import Child, spawn, terminate_all
from deploy.local.services import PROJECT, SERVICES, ServiceProgram
from tests.benchmarks import bare_stage
from tests.benchmarks.client import Client, Route, connected
from tests.benchmarks.figures import Figure, Goal, median, percentile
from tests.benchmarks.system import ROUTE, Measurement, System, with_both

CHAIN_ROUTE = Route(bare_stage.EXCHANGE, bare_stage.key(0), bare_stage.key(bare_stage.STAGES))
START_LIMIT_S = 30.0
GOAL = Goal(2.0)

Body = dict[str, object]


@dataclass(frozen=True)
class Size:
    """How much is measured: jobs one after the other in `blocks` turns of each side, and jobs at once."""

    blocks: int = 5
    jobs_per_block: int = 50
    warm_up: int = 30
    burst: int = 300


QUICK = Size(blocks=2, jobs_per_block=5, warm_up=3, burst=10)


@dataclass
class Side:
    """One of the two systems that are compared."""

    client: Client
    job: Callable[[], Awaitable[Body]]
    times_s: list[float] = field(default_factory=list)

    async def one_after_the_other(self, count: int, *, keep: bool = True) -> None:
        """Run `count` jobs, each on an idle system."""
        for _ in range(count):
            time_s = await self.client.time_job_s(await self.job())
            if keep:
                self.times_s.append(time_s)

    async def burst_per_s(self, count: int) -> float:
        """Jobs per second when `count` are submitted at once."""
        bodies = [await self.job() for _ in range(count)]
        began_s = time.perf_counter()
        runs = await asyncio.gather(*(self.client.submit(body) for body in bodies))
        await asyncio.wait_for(asyncio.gather(*(run.done for run in runs)), 120)
        return count / (time.perf_counter() - began_s)


def noop_services() -> tuple[ServiceProgram, ...]:
    """The gateway as it is, and the workers with engines that do nothing."""
    return tuple(
        program
        if program.front
        else ServiceProgram(
            program.name,
            (sys.executable, "-P", "-m", "tests.benchmarks.noop_service", program.name),
            program.port_variable,
        )
        for program in SERVICES
    )


@asynccontextmanager
async def _bare_chain(amqp_url: str, logs: Path) -> AsyncIterator[None]:
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        await channel.declare_exchange(bare_stage.EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True)
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "LECTERN_AMQP_URL": amqp_url}
    children: list[Child] = []
    try:
        for stage in range(bare_stage.STAGES):
            command = [sys.executable, "-P", "-m", "tests.benchmarks.bare_stage", str(stage)]
            children.append(spawn(f"bare-{stage}", command, log=logs / f"bare-{stage}.log", environment=environment))
        await asyncio.wait_for(_all_ready(children, logs), START_LIMIT_S)
        yield
    finally:
        await terminate_all(children, timeout_s=2.0)


async def _all_ready(children: list[Child], logs: Path) -> None:
    for child in children:
        log = logs / f"{child.name}.log"
        while "ready" not in log.read_text():
            if not child.running:
                raise RuntimeError(f"{child.name} ended: {log.read_text()[-2000:]}")
            await asyncio.sleep(0.1)


async def _bare_job() -> Body:
    return {"job_id": str(uuid.uuid4())}


async def measure(*, quick: bool, also: Measurement | None = None) -> list[Figure]:
    """Times of single jobs, by turns so that both sides see the same machine, and of many at once."""
    size = QUICK if quick else Size()

    async def both(system: System) -> list[Figure]:
        async def product_job() -> Body:
            return (await system.new_job()).model_dump(mode="json")

        async with (
            _bare_chain(system.amqp_url, system.home),
            connected(system.amqp_url, ROUTE) as product_client,
            connected(system.amqp_url, CHAIN_ROUTE) as bare_client,
        ):
            bare, product = Side(bare_client, _bare_job), Side(product_client, product_job)
            for side in (bare, product):
                await side.one_after_the_other(size.warm_up, keep=False)
            for _ in range(size.blocks):
                for side in (bare, product):
                    await side.one_after_the_other(size.jobs_per_block)
            return _figures(bare, product, await bare.burst_per_s(size.burst), await product.burst_per_s(size.burst))

    return await with_both(both, also, services=noop_services())


def _figures(bare: Side, product: Side, bare_per_s: float, product_per_s: float) -> list[Figure]:
    count = len(product.times_s)
    ratio = median(product.times_s) / median(bare.times_s)
    return [
        Figure("job_overhead_ratio", ratio, GOAL, f"medians of {count} jobs on an idle system, engines do nothing"),
        Figure("job_overhead_p50_ms", 1000 * median(product.times_s), note="five services, event to event"),
        Figure("job_overhead_p99_ms", 1000 * percentile(product.times_s, 0.99)),
        Figure("bare_chain_p50_ms", 1000 * median(bare.times_s), note="four FastStream stages, event to event"),
        Figure("bare_chain_p99_ms", 1000 * percentile(bare.times_s, 0.99)),
        Figure("job_burst_jobs_per_s", product_per_s),
        Figure("bare_chain_burst_jobs_per_s", bare_per_s),
        Figure(
            "job_burst_ratio", bare_per_s / product_per_s, note="jobs per second of the bare chain / of the product"
        ),
    ]
