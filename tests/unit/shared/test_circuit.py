"""A dependency that is away is asked by one, not by all (ANA-13)."""

import asyncio

import pytest

from shared import circuit
from shared.circuit import Circuit, Circuits
from shared.errors import DatabaseError, EngineError, ObjectNotFoundError, StorageError


class Dependency:
    def __init__(self, *, away: bool) -> None:
        self.away = away
        self.probes = 0

    async def probe(self) -> None:
        self.probes += 1
        await asyncio.sleep(0)
        if self.away:
            raise DatabaseError("no answer")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(circuit, "LAST_PAUSE_S", 0.02)


async def test_many_that_fail_at_once_cost_one_probe() -> None:
    dependency = Dependency(away=True)
    found = Circuit("database", dependency.probe)
    assert await asyncio.gather(*(found.is_away() for _ in range(50))) == [True] * 50
    assert dependency.probes == 1
    await found.stop()


async def test_it_closes_again_for_all_who_wait() -> None:
    dependency = Dependency(away=True)
    found = Circuit("database", dependency.probe)
    assert await found.is_away()
    waiting = [asyncio.create_task(found.wait(30)) for _ in range(20)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    dependency.away = False
    await asyncio.gather(*waiting)
    assert not found.is_open


async def test_a_fault_of_one_message_opens_nothing() -> None:
    dependency = Dependency(away=False)
    found = Circuit("database", dependency.probe)
    assert not await found.is_away()
    assert not found.is_open
    await found.wait(0)


async def test_patience_ends_with_the_last_error() -> None:
    found = Circuit("database", Dependency(away=True).probe)
    assert await found.is_away()
    with pytest.raises(DatabaseError, match="no answer"):
        await found.wait(0.01)
    await found.stop()


async def test_only_errors_that_name_a_dependency_are_looked_into() -> None:
    database = Dependency(away=True)
    found = Circuits({"database": database.probe})
    for error in (EngineError("crashed"), ObjectNotFoundError("gone"), StorageError("full"), ValueError("bug")):
        assert not await found.is_away(error)
    assert database.probes == 0
    assert await found.is_away(DatabaseError("no answer"))
    await found.stop()
