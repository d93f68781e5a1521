"""How soon work goes on after a worker was killed, and after the broker was restarted or killed.

Jobs whose engines do nothing are submitted at a steady small rate by a client that comes back by itself. The product's
own supervisor starts again what died, so its pause is inside; its part is shown by itself. Every death counts for it
as the first one (see `deaths_far_apart`).
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from deploy.local.keeper import Happening
from shared.events import HandoutRendered, SourceTranscribed
from tests.benchmarks.figures import Figure, median
from tests.benchmarks.happenings import deaths_far_apart
from tests.benchmarks.overhead import noop_services
from tests.benchmarks.system import WATCHED_ROUTE, System, with_system
from tests.benchmarks.visitor import Visitor, visiting

PAUSE_S = 0.4  # between two submissions
TRIALS, QUICK_TRIALS = 5, 1
SETTLED_JOBS = 3
LIMIT_S = 60.0


@dataclass(frozen=True)
class Blow:
    """What is done to which program, and the event that says that work goes on."""

    name: str
    program: str
    number: signal.Signals
    sign: str
    note: str


BLOWS = (
    Blow(
        "recovery_worker_killed",
        "transcription",
        signal.SIGKILL,
        SourceTranscribed.routing_key,
        "SIGKILL of transcription to the first unit of its successor",
    ),
    Blow(
        "recovery_broker_restarted",
        "rabbitmq",
        signal.SIGTERM,
        HandoutRendered.routing_key,
        "SIGTERM of the broker to the first job that ends after it",
    ),
    Blow(
        "recovery_broker_killed",
        "rabbitmq",
        signal.SIGKILL,
        HandoutRendered.routing_key,
        "SIGKILL of the broker to the first job that ends after it",
    ),
)


@dataclass(frozen=True)
class Recovery:
    """Seconds from a blow until the program was started again, said that it is ready, and work was done again."""

    started_s: float
    ready_s: float
    working_s: float


async def measure(*, quick: bool) -> list[Figure]:
    """Median and worst time of each kind of blow. Raises TimeoutError when a job never ends."""
    trials = QUICK_TRIALS if quick else TRIALS

    async def work(system: System) -> list[Figure]:
        async with visiting(system.amqp_url, WATCHED_ROUTE) as visitor, _steady_load(system, visitor) as submitted:
            figures: list[Figure] = []
            for blow in BLOWS:
                seen = [await _recover(system, visitor, submitted, blow) for _ in range(trials)]
                figures += _figures(blow, seen)
            return figures

    with deaths_far_apart():
        return await with_system(work, services=noop_services())


@asynccontextmanager
async def _steady_load(system: System, visitor: Visitor) -> AsyncIterator[list[str]]:
    """Jobs one after the other for as long as the context lasts; the ids of those submitted."""
    submitted: list[str] = []

    async def submit() -> None:
        while True:
            job = await system.new_job()
            await visitor.submit(job)
            submitted.append(job.job_id)
            await asyncio.sleep(PAUSE_S)

    submitting = asyncio.create_task(submit())
    try:
        yield submitted
    finally:
        submitting.cancel()
        await asyncio.wait([submitting])


async def _recover(system: System, visitor: Visitor, submitted: list[str], blow: Blow) -> Recovery:
    """Wait until all is well, strike, and watch."""
    await _settled(visitor, submitted)
    began_s = time.perf_counter()
    if not system.signal(blow.program, blow.number):
        raise RuntimeError(f"{blow.program} does not run")
    started_s = await system.happenings.first(blow.program, Happening.STARTED, after_s=began_s)
    # What the dead one had said was heard long before: half a second lies between its end and its successor's start.
    working_s = await visitor.first(blow.sign, after_s=started_s, limit_s=LIMIT_S)
    ready_s = await system.happenings.first(blow.program, Happening.READY, after_s=began_s)
    return Recovery(started_s - began_s, ready_s - began_s, working_s - began_s)


async def _settled(visitor: Visitor, submitted: list[str]) -> None:
    """Wait until every job so far, and a few more, have ended. Raises TimeoutError about those that do not."""
    count = len(submitted) + SETTLED_JOBS
    try:
        async with asyncio.timeout(LIMIT_S):
            while len(submitted) < count or not visitor.ended().issuperset(submitted[:count]):
                await asyncio.sleep(0.05)
    except TimeoutError:
        left = {*submitted[:count]} - visitor.ended()
        raise TimeoutError(f"{len(left)} of {count} jobs did not end within {LIMIT_S:g} s") from None


def _figures(blow: Blow, seen: list[Recovery]) -> list[Figure]:
    working = [recovery.working_s for recovery in seen]
    return [
        Figure(f"{blow.name}_median_s", median(working), note=f"{blow.note}; {len(seen)} times"),
        Figure(f"{blow.name}_worst_s", max(working)),
        Figure(
            f"{blow.name}_until_started_s",
            median([recovery.started_s for recovery in seen]),
            note="of it the supervisor's part: its end is seen, a pause, the next is started",
        ),
        Figure(
            f"{blow.name}_until_ready_s",
            median([recovery.ready_s for recovery in seen]),
            note="until that one works, as the supervisor sees it",
        ),
    ]
