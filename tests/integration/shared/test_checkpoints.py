"""Checkpoints on a real database: computed once, joined exactly, gone when deleted (PIP-1)."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shared.checkpoints import Checkpoints
from shared.database import Database, open_database
from shared.events import JobDeleted, Parameters
from shared.messaging.delivery import JobGoneError
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


async def test_units_that_race_agree_on_one_result(checkpoints: Checkpoints) -> None:
    counter = Counter()
    results = await asyncio.gather(
        *(checkpoints.run(MESSAGE, "speech-1", counter, Parameters) for _ in range(8)),
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
