"""A process ends when its connection to the broker stays away although the broker works, and only then (PIP-4)."""

import asyncio
from collections.abc import Iterable

import pytest

from shared.errors import BrokerError
from shared.messaging.lost import until_lost


class Told:
    """A check that fails as it is told, and works once there is nothing more to tell."""

    def __init__(self, fails: Iterable[bool]) -> None:
        self._fails = iter(fails)
        self.asked = 0

    async def __call__(self) -> None:
        self.asked += 1
        if next(self._fails, False):
            raise BrokerError("closed")


async def test_a_connection_that_stays_away_while_others_work_is_lost() -> None:
    ours = Told([True] * 1000)
    async with asyncio.timeout(5):
        await until_lost(ours, Told([]), every_s=0.01, patience_s=0.1)
    assert ours.asked >= 3


@pytest.mark.parametrize(
    ("ours", "others"),
    [
        pytest.param([False] * 1000, [], id="it works"),
        pytest.param([True] * 1000, [True] * 1000, id="the broker is away"),
        pytest.param([True, True, False] * 300, [], id="it comes back each time"),
        pytest.param([True] * 1000, [False, False, True] * 300, id="the broker comes and goes"),
    ],
)
async def test_a_connection_that_may_still_come_back_is_not_lost(ours: list[bool], others: list[bool]) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await until_lost(Told(ours), Told(others), every_s=0.001, patience_s=0.2)
