"""The same jobs, whose work is nothing, under the same seeded kills, through Lectern and through Celery.

Both have four stages with one process each, the same broker, database and object storage, the same supervisor with the
same pauses, and a client that submits until the broker confirms. How Celery is set up stands in `celery_stages`.

What is counted of each:

- lost: a job that never ended and of which no queue holds anything any more;
- stuck: a job that did not end within a limit after the last fault, while a queue still holds a message of it;
- failed: a job that ended with an error that its owner is told;
- doubled stages: a stage of a job that was carried out to its end more than once (any unit of it);
- doubled results: the end of a job that was made known more than once: Lectern's event `handout.rendered`, which comes
  again under the same message id, Celery's stored success of the last task.
"""

import asyncio
import random
import signal
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from kombu.exceptions import OperationalError

from deploy.local.keeper import Happening
from deploy.local.services import SERVICES, ServiceProgram
from shared.messaging.topology import WORK_QUEUES, retry_name, tiers_s
from shared.settings import SharedSettings
from tests.benchmarks import celery_stages
from tests.benchmarks.figures import Figure, Goal
from tests.benchmarks.happenings import deaths_far_apart
from tests.benchmarks.ledger import LEDGER_VARIABLE, Entry, Ledger
from tests.benchmarks.queues import texts_in
from tests.benchmarks.system import ROUTE, STAGES, System, with_system
from tests.benchmarks.visitor import visiting

SEED = 20_250_101
BROKER = "rabbitmq"
LONGEST_DELAY_S = 0.3
AT_ONCE = 8
NONE = Goal(0.0)


@dataclass(frozen=True)
class Size:
    """Jobs, a kill of a worker for every so many that end, and how long is waited for what does not end."""

    jobs: int = 200
    jobs_per_kill: int = 10
    limit_s: float = 120.0


QUICK = Size(jobs=24, jobs_per_kill=8, limit_s=45.0)


@dataclass(frozen=True)
class Kill:
    """SIGKILL of `program`, `delay_s` after `ended` jobs have ended."""

    ended: int
    program: str
    delay_s: float


def schedule(size: Size, seed: int) -> list[Kill]:
    """A kill of one worker for every `jobs_per_kill` jobs, and one of the broker half-way. The same for a seed."""
    rng = random.Random(seed)
    steps = list(range(0, size.jobs, size.jobs_per_kill))
    kills = [Kill(ended, rng.choice(STAGES), rng.uniform(0, LONGEST_DELAY_S)) for ended in steps]
    middle = steps[len(steps) // 2] + size.jobs_per_kill // 2
    return sorted([*kills, Kill(middle, BROKER, rng.uniform(0, LONGEST_DELAY_S))], key=lambda kill: kill.ended)


@dataclass(frozen=True)
class Outcome:
    """What became of the jobs."""

    lost: int
    stuck: int
    failed: int
    doubled_stages: int
    doubled_results: int
    took_s: float


@dataclass
class Seen:
    """What a side knows at a moment: how often the end of each job was made known, and jobs that failed."""

    published: Counter[str] = field(default_factory=Counter)
    failed: set[str] = field(default_factory=set)

    def ended(self) -> set[str]:
        """Jobs that are over, well or not."""
        return {*self.published} | self.failed


class Side(Protocol):
    """One of the two that are compared, while it runs."""

    async def submit(self, job_id: str) -> None:
        """Return when the broker has confirmed the job."""

    def seen(self) -> Seen:
        """What became of the jobs so far."""


@dataclass(frozen=True)
class Contender:
    """How one side is started: its programs, its queues, and the side itself on a running system."""

    services: tuple[ServiceProgram, ...]
    queues: tuple[str, ...]
    open: Callable[[System, Ledger], AbstractAsyncContextManager[Side]]


def _worker(module: str, stage: str, variable: str) -> ServiceProgram:
    return ServiceProgram(stage, (sys.executable, "-P", "-m", f"tests.benchmarks.{module}", stage), variable)


@asynccontextmanager
async def _lectern(system: System, _ledger: Ledger) -> AsyncIterator[Side]:
    async with visiting(system.amqp_url, ROUTE) as visitor:

        class Lectern:
            async def submit(self, job_id: str) -> None:
                await visitor.submit(await system.new_job(job_id))

            def seen(self) -> Seen:
                told = Counter(heard.job_id for heard in visitor.heard if heard.key == ROUTE.done_key)
                return Seen(told, {heard.job_id for heard in visitor.heard if heard.failure})

        yield Lectern()


@asynccontextmanager
async def _celery(system: System, ledger: Ledger) -> AsyncIterator[Side]:
    app = celery_stages.create_app(system.amqp_url, system.state().mongo_url)
    broken = (*app.connection().connection_errors, *app.connection().channel_errors, OperationalError)

    class OnCelery:
        async def submit(self, job_id: str) -> None:
            await asyncio.to_thread(self._submit, job_id)

        def _submit(self, job_id: str) -> None:
            # Its own retries give up in time; a client that must not lose its job does not.
            while True:
                try:
                    celery_stages.job_chain(app, job_id).apply_async()
                except broken:
                    time.sleep(0.2)
                else:
                    return

        def seen(self) -> Seen:
            found = Seen()
            for entry, count in ledger.counts().items():
                if entry.stage == celery_stages.PUBLISHED:
                    found.published[entry.job_id] += count
                elif entry.stage == celery_stages.FAILED:
                    found.failed.add(entry.job_id)
            return found

    try:
        yield OnCelery()
    finally:
        await asyncio.to_thread(app.close)


def _lectern_queues() -> tuple[str, ...]:
    delays = SharedSettings.model_fields["retry_delays_s"].default
    waiting = [retry_name(tier_s) for delay_s in delays for tier_s in tiers_s(delay_s)]
    return tuple([queue.name for queue in WORK_QUEUES if not queue.name.startswith("gateway")] + waiting)


LECTERN = Contender(
    tuple(
        program if program.front else _worker("ledger_service", program.name, program.port_variable)
        for program in SERVICES
    ),
    _lectern_queues(),
    _lectern,
)
CELERY = Contender(
    tuple(_worker("celery_stages", stage, celery_stages.PORT_VARIABLE) for stage in STAGES),
    celery_stages.STAGES,
    _celery,
)


async def measure(*, quick: bool) -> list[Figure]:
    """Both sides, one after the other, and what became of their jobs."""
    size = QUICK if quick else Size()
    lectern = await endure(LECTERN, size, SEED)
    celery = await endure(CELERY, size, SEED)
    return _figures(lectern, celery, size)


async def endure(contender: Contender, size: Size, seed: int) -> Outcome:
    """Send the jobs through one side while its programs are killed."""
    with tempfile.TemporaryDirectory(prefix="lectern-bench-") as folder, deaths_far_apart():
        path = Path(folder) / "ledger"
        ledger = Ledger(path)

        async def work(system: System) -> Outcome:
            async with contender.open(system, ledger) as side:
                return await _through(system, side, ledger, contender, size, seed)

        return await with_system(work, services=contender.services, environment={LEDGER_VARIABLE: str(path)})


async def _through(system: System, side: Side, ledger: Ledger, contender: Contender, size: Size, seed: int) -> Outcome:
    rng = random.Random(seed)
    job_ids = [str(uuid.UUID(int=rng.getrandbits(128), version=4)) for _ in range(size.jobs)]
    began_s = time.perf_counter()
    submitting = asyncio.create_task(_submit_all(side, job_ids))
    for kill in schedule(size, seed):
        await _until(partial(_have_ended, side, kill.ended), size.limit_s)
        await asyncio.sleep(kill.delay_s)
        await _carry_out(system, kill)
    await submitting
    await _until(lambda: side.seen().ended().issuperset(job_ids), size.limit_s)
    took_s = time.perf_counter() - began_s
    missing = {*job_ids} - side.seen().ended()
    held = await _held(system, contender.queues, missing) if missing else set()
    return outcome(side.seen(), ledger.counts(), missing, held, took_s)


def _have_ended(side: Side, count: int) -> bool:
    return len(side.seen().ended()) >= count


async def _submit_all(side: Side, job_ids: list[str]) -> None:
    turns = asyncio.Semaphore(AT_ONCE)

    async def submit(job_id: str) -> None:
        async with turns:
            await side.submit(job_id)

    await asyncio.gather(*(submit(job_id) for job_id in job_ids))


async def _until(is_so: Callable[[], bool], limit_s: float) -> bool:
    deadline_s = time.perf_counter() + limit_s
    while not is_so() and time.perf_counter() < deadline_s:
        await asyncio.sleep(0.05)
    return is_so()


async def _carry_out(system: System, kill: Kill) -> None:
    """Kill the program; one that is just being started again is waited for, so that both sides suffer the same."""
    began_s = time.perf_counter()
    while not system.signal(kill.program, signal.SIGKILL):
        await system.happenings.first(kill.program, Happening.STARTED, after_s=began_s)
    if kill.program == BROKER:
        await system.happenings.first(BROKER, Happening.READY, after_s=began_s)


async def _held(system: System, queues: tuple[str, ...], job_ids: set[str]) -> set[str]:
    """Which of the jobs a message is left of. Workers are killed first: that gives back what they hold."""
    for stage in STAGES:
        system.signal(stage, signal.SIGKILL)
    texts = await texts_in(system.amqp_url, queues)
    return {job_id for job_id in job_ids if any(job_id in text for text in texts)}


def outcome(seen: Seen, ledger: Counter[Entry], missing: set[str], held: set[str], took_s: float) -> Outcome:
    """The reckoning."""
    stages = {(entry.job_id, entry.stage) for entry, count in ledger.items() if count > 1 and entry.stage in STAGES}
    return Outcome(
        lost=len(missing - held),
        stuck=len(missing & held),
        failed=len(seen.failed),
        doubled_stages=len(stages),
        doubled_results=sum(1 for count in seen.published.values() if count > 1),
        took_s=took_s,
    )


def _figures(lectern: Outcome, celery: Outcome, size: Size) -> list[Figure]:
    kills = schedule(size, SEED)
    workers = sum(1 for kill in kills if kill.program != BROKER)
    how = f"of {size.jobs}, with {workers} kills of workers and {len(kills) - workers} of the broker; seed {SEED}"
    return [
        Figure("faulted_lectern_lost_jobs", lectern.lost, NONE, how),
        Figure("faulted_celery_lost_jobs", celery.lost),
        Figure("faulted_lectern_stuck_jobs", lectern.stuck, NONE, f"not ended {size.limit_s:g} s after the last kill"),
        Figure("faulted_celery_stuck_jobs", celery.stuck),
        Figure("faulted_lectern_failed_jobs", lectern.failed, NONE, "ended with an error"),
        Figure("faulted_celery_failed_jobs", celery.failed),
        Figure("faulted_lectern_doubled_stages", lectern.doubled_stages, note="carried out to their end twice"),
        Figure("faulted_celery_doubled_stages", celery.doubled_stages),
        Figure("faulted_lectern_doubled_results", lectern.doubled_results, note="told twice, under one message id"),
        Figure("faulted_celery_doubled_results", celery.doubled_results, note="stored twice"),
        Figure("faulted_lectern_s", lectern.took_s, note="all in all, most of it restarts"),
        Figure("faulted_celery_s", celery.took_s),
    ]
