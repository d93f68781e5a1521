"""The same jobs, whose work is nothing, under the same seeded kills, through Lectern and through Celery.

Both have four stages with one process each, the same broker, database and object storage, the same supervisor with the
same pauses, and a client that submits until the broker confirms. How Celery is set up stands in `celery_stages`, what
is counted in `reckoning`.
"""

import asyncio
import random
import signal
import tempfile
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path

from deploy.local.keeper import Happening
from tests.benchmarks.contenders import CELERY, LECTERN, Contender, Side
from tests.benchmarks.figures import Figure, Goal
from tests.benchmarks.happenings import deaths_far_apart
from tests.benchmarks.ledger import LEDGER_VARIABLE, Ledger
from tests.benchmarks.queues import texts_in
from tests.benchmarks.reckoning import BROKER, QUICK, Kill, Outcome, Size, outcome, schedule
from tests.benchmarks.system import STAGES, System, with_system

SEED = 20_250_101
AT_ONCE = 8
NONE = Goal(0.0)


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
    """Kill the program; one that is not ready is waited for, so that both sides suffer the same and at work."""
    began_s = time.perf_counter()
    while not system.signal(kill.program, signal.SIGKILL):
        await system.happenings.first(kill.program, Happening.READY, after_s=began_s)
        began_s = time.perf_counter()
    if kill.program == BROKER:
        await system.happenings.first(BROKER, Happening.READY, after_s=began_s)


async def _held(system: System, queues: tuple[str, ...], job_ids: set[str]) -> set[str]:
    """Which of the jobs a message is left of. Workers are killed first: that gives back what they hold."""
    for stage in STAGES:
        system.signal(stage, signal.SIGKILL)
    texts = await texts_in(system.amqp_url, queues)
    return {job_id for job_id in job_ids if any(job_id in text for text in texts)}


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
