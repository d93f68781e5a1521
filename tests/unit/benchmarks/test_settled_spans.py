"""What an idle system sends is counted once all spans of its jobs have come, however late they are."""

import itertools
from collections.abc import Iterable

import pytest

from tests.benchmarks import traces


class Receiver:
    """Has one number of spans after the other."""

    def __init__(self, counts: Iterable[int]) -> None:
        self._counts = iter(counts)

    def all(self) -> list[int]:
        return list(range(next(self._counts)))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "SENT_S", 0.0)


async def test_late_spans_are_waited_for() -> None:
    assert await traces._settled(Receiver([20, 41, 60, 60])) == 60


async def test_a_system_that_always_sends_some_is_waited_for_only_so_long() -> None:
    receiver = Receiver(itertools.count(1))
    settled = await traces._settled(receiver)
    assert len(receiver.all()) > settled, "the difference is what an idle system sent"
