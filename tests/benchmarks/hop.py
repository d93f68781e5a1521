"""What a checkpoint adds to one hop: one service, a real broker, the embedded database, and work that is nothing."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from deploy.local.services import ServiceProgram
from shared.events import Message, UnitFinished
from tests.benchmarks import hop_service
from tests.benchmarks.client import Client, Route, connected
from tests.benchmarks.figures import Figure, median, percentile
from tests.benchmarks.system import ROUTE, Measurement, System, with_system

PROGRAM = ServiceProgram("hop", (sys.executable, "-P", "-m", "tests.benchmarks.hop_service"), hop_service.PORT_VARIABLE)
# Two round trips to the database, one of them a write that reaches the disk, beside three writes to disk by the broker.

WARM_UP, COUNT = 30, 500
QUICK_WARM_UP, QUICK_COUNT = 5, 40


@dataclass
class Times:
    """Seconds of each hop."""

    plain_s: list[float] = field(default_factory=list)
    first_s: list[float] = field(default_factory=list)
    again_s: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class _Ends:
    plain: Client
    checkpointed: Client


async def measure(*, quick: bool) -> list[Figure]:
    """Hops without a checkpoint, with one that is written, and with one that is found, by turns."""
    hops = measurement(quick=quick)
    return await with_system(hops.work, services=hops.services)


def measurement(*, quick: bool) -> Measurement:
    """The same, in any system."""
    warm_up, count = (QUICK_WARM_UP, QUICK_COUNT) if quick else (WARM_UP, COUNT)

    async def work(system: System) -> list[Figure]:
        async with _ends(system.amqp_url) as ends:
            await _turns(ends, warm_up, system.new_job)
            return _figures(await _turns(ends, count, system.new_job))

    return Measurement(work, services=(PROGRAM,))


@asynccontextmanager
async def _ends(amqp_url: str) -> AsyncIterator[_Ends]:
    plain, checkpointed = (
        Route(ROUTE.exchange, queue.keys[0], UnitFinished.routing_key, ROUTE.failures)
        for queue in (hop_service.PLAIN, hop_service.CHECKPOINTED)
    )
    async with connected(amqp_url, plain) as first, connected(amqp_url, checkpointed) as second:
        yield _Ends(first, second)


async def _turns(ends: _Ends, count: int, new_job: Callable[[], Awaitable[Message]]) -> Times:
    """The three kinds one after the other, each time, so that all of them see the same machine."""
    times = Times()
    for _ in range(count):
        body = (await new_job()).model_dump(mode="json")
        times.plain_s.append(await ends.plain.time_job_s(body))
        times.first_s.append(await ends.checkpointed.time_job_s(body))
        times.again_s.append(await ends.checkpointed.time_job_s(body))  # the same message: it finds its checkpoint
    return times


def _figures(times: Times) -> list[Figure]:
    plain, first, again = median(times.plain_s), median(times.first_s), median(times.again_s)
    count = len(times.plain_s)
    return [
        Figure("hop_checkpoint_ratio", first / plain, note=f"medians of {count} hops, work that is nothing"),
        Figure("hop_again_ratio", again / first, note="a message whose checkpoint exists / its first delivery"),
        Figure("hop_plain_p50_ms", 1000 * plain, note="message in to event out, without a checkpoint"),
        Figure("hop_checkpoint_p50_ms", 1000 * first),
        Figure("hop_checkpoint_p99_ms", 1000 * percentile(times.first_s, 0.99)),
        Figure("hop_again_p50_ms", 1000 * again),
    ]
