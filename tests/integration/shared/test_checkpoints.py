"""Checkpoints on a real database: computed once, joined exactly, gone when deleted (PIP-1)."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shared.checkpoints import Checkpoints
from shared.database import Database, open_database
from shared.errors import ObjectNotFoundError
from shared.events import JobDeleted, Parameters
from shared.messaging.delivery import JobGoneError, RunCancelledError
from shared.settings import SharedSettings
from shared.storage import ObjectStore, open_store

MESSAGE = JobDeleted(job_id="job-00001")


@pytest_asyncio.fixture
async def database(settings: SharedSettings) -> AsyncIterator[Database]:
    async with open_database(settings, "test") as opened:
        yield opened


@pytest_asyncio.fixture
async def store(settings: SharedSettings) -> AsyncIterator[ObjectStore]:
    async with open_store(settings) as opened:
        yield opened


@pytest.fixture
def checkpoints(database: Database, store: ObjectStore) -> Checkpoints:
    return Checkpoints(database, store, "transcription")


class Counter:
    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self) -> Parameters:
        self.calls += 1
        return Parameters(unit_s=30 + self.calls)


async def test_a_unit_is_computed_once(checkpoints: Checkpoints) -> None:
    counter = Counter()
    first = await checkpoints.run(MESSAGE, "speech-1", counter, Parameters)
    assert await checkpoints.run(MESSAGE, "speech-1", counter, Parameters) == first
    assert counter.calls == 1


async def test_other_parameters_are_another_unit(checkpoints: Checkpoints) -> None:
    counter = Counter()
    await checkpoints.run(MESSAGE, "speech-1", counter, Parameters)
    letter = MESSAGE.model_copy(update={"parameters": Parameters(paper="us-letter")})
    await checkpoints.run(letter, "speech-1", counter, Parameters)
    assert counter.calls == 2


async def test_replicas_that_race_agree_on_one_result(database: Database, store: ObjectStore) -> None:
    counter = Counter()
    replicas = [Checkpoints(database, store, "transcription") for _ in range(8)]
    results = await asyncio.gather(
        *(replica.run(MESSAGE, "speech-1", counter, Parameters) for replica in replicas),
    )
    assert len(set(results)) == 1


async def test_whoever_finishes_last_sees_all(checkpoints: Checkpoints) -> None:
    units = [f"speech-{number}" for number in range(20)]

    async def finish(unit: str) -> dict[str, Parameters] | None:
        await checkpoints.run(MESSAGE, unit, Counter(), Parameters)
        return (await checkpoints.finished(MESSAGE)).get_all(units, Parameters)

    seen = await asyncio.gather(*(finish(unit) for unit in units))
    assert any(result is not None and len(result) == 20 for result in seen)
    assert (await checkpoints.finished(MESSAGE)).get_all([*units, "speech-99"], Parameters) is None


async def test_a_deleted_job_computes_nothing_more(checkpoints: Checkpoints) -> None:
    counter = Counter()
    await checkpoints.run(MESSAGE, "speech-1", counter, Parameters)
    await checkpoints.forget(MESSAGE.job_id)
    await checkpoints.forget(MESSAGE.job_id)
    for unit in ("speech-1", "speech-2"):
        with pytest.raises(JobGoneError):
            await checkpoints.run(MESSAGE, unit, counter, Parameters)
    assert counter.calls == 1


async def test_what_a_job_deleted_meanwhile_made_is_not_kept(
    checkpoints: Checkpoints, database: Database, store: ObjectStore
) -> None:
    async def compute() -> Parameters:
        await checkpoints.forget(MESSAGE.job_id)
        await store.put_bytes(f"transcription/{MESSAGE.job_id}/late", b"x", "text/plain")
        return Parameters()

    with pytest.raises(JobGoneError):
        await checkpoints.run(MESSAGE, "speech-1", compute, Parameters)
    left = await database["checkpoints"].find_one({"_id": MESSAGE.job_id})
    assert left.keys() == {"_id", "deleted_at"}
    assert [item.key async for item in store.walk("transcription/")] == []


async def test_a_cancelled_run_computes_nothing_and_the_next_finds_what_was_done(checkpoints: Checkpoints) -> None:
    counter, again = Counter(), MESSAGE.model_copy(update={"run": 2})
    first = await checkpoints.run(MESSAGE, "speech-1", counter, Parameters)
    await checkpoints.cancel(MESSAGE)
    await checkpoints.cancel(MESSAGE)
    for unit in ("speech-1", "speech-2"):
        with pytest.raises(RunCancelledError):
            await checkpoints.run(MESSAGE, unit, counter, Parameters)
    assert await checkpoints.run(again, "speech-1", counter, Parameters) == first
    assert counter.calls == 1


async def test_a_late_cancellation_of_an_old_run_stops_no_newer_one(checkpoints: Checkpoints) -> None:
    third = MESSAGE.model_copy(update={"run": 3})
    await checkpoints.cancel(MESSAGE.model_copy(update={"run": 2}))
    await checkpoints.cancel(MESSAGE)
    await checkpoints.run(third, "speech-1", Counter(), Parameters)
    with pytest.raises(RunCancelledError):
        await checkpoints.finished(MESSAGE.model_copy(update={"run": 2}))


@pytest.mark.parametrize("how", ["cancelled", "deleted"])
async def test_what_is_being_computed_is_stopped(checkpoints: Checkpoints, store: ObjectStore, how: str) -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()
    key = f"transcription/{MESSAGE.job_id}/half"

    async def hang() -> Parameters:
        await store.put_bytes(key, b"half", "text/plain")
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return Parameters()

    running = asyncio.create_task(checkpoints.run(MESSAGE, "speech-1", hang, Parameters))
    await begun.wait()
    await (checkpoints.cancel(MESSAGE) if how == "cancelled" else checkpoints.forget(MESSAGE.job_id))
    with pytest.raises(RunCancelledError if how == "cancelled" else JobGoneError):
        await asyncio.wait_for(running, 30)
    assert stopped.is_set()
    assert [found.key async for found in store.walk("transcription/")] == ([key] if how == "cancelled" else [])


async def test_a_late_message_of_a_deleted_job_removes_what_a_killed_worker_stored(
    checkpoints: Checkpoints, store: ObjectStore
) -> None:
    await checkpoints.forget(MESSAGE.job_id)
    await store.put_bytes(f"transcription/{MESSAGE.job_id}/late", b"late", "text/plain")
    with pytest.raises(JobGoneError):
        await checkpoints.run(MESSAGE, "speech-1", Counter(), Parameters)
    assert [found.key async for found in store.walk("transcription/")] == []


async def test_an_event_that_an_earlier_run_left_is_of_this_run(checkpoints: Checkpoints) -> None:
    async def event() -> JobDeleted:
        return MESSAGE

    second = MESSAGE.model_copy(update={"run": 2})
    await checkpoints.run(MESSAGE, "event", event, JobDeleted)
    assert await checkpoints.run(second, "event", event, JobDeleted) == second


async def test_deliveries_that_race_compute_once(checkpoints: Checkpoints) -> None:
    counter = Counter()

    async def slow() -> Parameters:
        await asyncio.sleep(0.05)
        return await counter()

    await asyncio.gather(*(checkpoints.run(MESSAGE, "speech-1", slow, Parameters) for _ in range(8)))
    assert counter.calls == 1
    assert not checkpoints._turns


async def test_what_failed_because_the_job_went_is_no_failure(checkpoints: Checkpoints) -> None:
    async def pulled_away() -> Parameters:
        await checkpoints.forget(MESSAGE.job_id)
        raise ObjectNotFoundError("its upload is gone")

    with pytest.raises(JobGoneError):
        await checkpoints.run(MESSAGE, "speech-1", pulled_away, Parameters)
