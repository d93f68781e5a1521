"""A process ends when its connection to the broker stays away although the broker works, and only then (PIP-4)."""

import itertools
from collections.abc import Sequence
from types import SimpleNamespace

import pytest

from shared.errors import BrokerError
from shared.messaging import lost
from shared.messaging.lost import until_lost

WORKS, FAILS = False, True


class ScriptEndedError(Exception):
    """A check was asked once more than its script is long."""


class ScriptedCheck:
    """A check with scripted outcomes."""

    def __init__(self, fails: Sequence[bool]) -> None:
        self._fails = iter(fails)
        self.asked = 0

    async def __call__(self) -> None:
        fails = next(self._fails, None)
        if fails is None:
            raise ScriptEndedError
        self.asked += 1
        if fails:
            raise BrokerError("closed")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes on by a second at each look, however slow the machine."""
    seconds = itertools.count(1000.0)
    monkeypatch.setattr(lost, "time", SimpleNamespace(monotonic=lambda: next(seconds)))


async def test_a_connection_that_stays_away_while_others_work_is_lost_after_that_time() -> None:
    own, new = ScriptedCheck([FAILS] * 100), ScriptedCheck([WORKS] * 100)
    await until_lost(own, new, every_s=0, patience_s=5)
    assert (own.asked, new.asked) == (6, 6)


@pytest.mark.parametrize(
    ("own", "new"),
    [
        pytest.param([WORKS] * 100, [], id="it works"),
        pytest.param([FAILS] * 100, [FAILS] * 100, id="the broker is away"),
        pytest.param([FAILS, FAILS, WORKS] * 30, [WORKS] * 100, id="it comes back each time"),
        pytest.param([FAILS] * 100, [WORKS, WORKS, FAILS] * 30, id="the broker comes and goes"),
    ],
)
async def test_a_connection_that_may_still_come_back_is_not_lost(own: list[bool], new: list[bool]) -> None:
    with pytest.raises(ScriptEndedError):
        await until_lost(ScriptedCheck(own), ScriptedCheck(new), every_s=0, patience_s=5)
