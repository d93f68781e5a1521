"""Requests of one key are carried out together, and nobody suffers for another."""

import asyncio
from collections.abc import Sequence

import pytest

from services.gateway.jobs.together import Together
from shared.errors import DatabaseError, InvalidMessageError


class Recorder:
    """Carries out by adding up; `gate` holds it back, `errors` are raised by the next calls, `refused` always."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[int]]] = []
        self.gate = asyncio.Event()
        self.errors: list[Exception] = []
        self.refused: set[int] = set()
        self.busy: set[str] = set()

    async def carry_out(self, key: str, requests: Sequence[int]) -> int:
        assert key not in self.busy, "twice at once"
        self.busy.add(key)
        self.calls.append((key, list(requests)))
        try:
            await self.gate.wait()
            if self.errors:
                raise self.errors.pop(0)
            if self.refused & set(requests):
                raise InvalidMessageError("refused")
            return sum(requests)
        finally:
            self.busy.discard(key)


async def asked(together: Together[int, int], key: str, *requests: int) -> list[asyncio.Task[int]]:
    tasks = []
    for request in requests:
        tasks.append(asyncio.ensure_future(together.ask(key, request)))
        await asyncio.sleep(0)
    await asyncio.sleep(0.001)
    return tasks


async def test_what_comes_meanwhile_is_carried_out_at_once() -> None:
    recorder = Recorder()
    together = Together(recorder.carry_out)
    tasks = await asked(together, "a", 1, 2, 3)
    recorder.gate.set()
    assert await asyncio.gather(*tasks) == [1, 5, 5]
    assert recorder.calls == [("a", [1]), ("a", [2, 3])]
    assert not together._lines


async def test_keys_do_not_wait_for_each_other() -> None:
    recorder = Recorder()
    together = Together(recorder.carry_out)
    tasks = await asked(together, "a", 1) + await asked(together, "b", 2)
    assert recorder.calls == [("a", [1]), ("b", [2])]
    recorder.gate.set()
    assert await asyncio.gather(*tasks) == [1, 2]


async def test_an_error_is_one_askers_and_the_next_one_tries_again() -> None:
    recorder = Recorder()
    together = Together(recorder.carry_out)
    recorder.errors = [DatabaseError("away"), DatabaseError("away")]
    tasks = await asked(together, "a", 1, 2, 3)
    recorder.gate.set()
    first, second, third = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(first, DatabaseError)
    assert isinstance(second, DatabaseError)
    assert third == 3
    assert not together._lines


async def test_a_request_that_is_refused_takes_no_other_with_it() -> None:
    recorder = Recorder()
    together = Together(recorder.carry_out)
    recorder.refused = {3}
    tasks = await asked(together, "a", 1, 2, 3, 4)
    recorder.gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [result for result in results if not isinstance(result, Exception)] == [1, 2, 4]
    assert isinstance(results[2], InvalidMessageError)


@pytest.mark.parametrize("cancelled", [0, 1])
async def test_one_who_goes_away_leaves_the_others_served(cancelled: int) -> None:
    recorder = Recorder()
    together = Together(recorder.carry_out)
    tasks = await asked(together, "a", 1, 2, 3)
    tasks[cancelled].cancel()
    await asyncio.wait([tasks[cancelled]])
    recorder.gate.set()
    left = [task for number, task in enumerate(tasks) if number != cancelled]
    await asyncio.gather(*left)
    assert tasks[cancelled].cancelled()
    assert recorder.calls[-1][1][-1] == 3
    assert not together._lines
