"""How a program that is started again and again is kept, and for how long a server is waited for that hangs."""

import asyncio
import errno
import sys
from pathlib import Path

import pytest

from deploy.local import keeper as keeper_module
from deploy.local.keeper import Happening, Patience
from deploy.local.processes import Child, spawn
from tests.unit.local.kept import Kept


class SleepingServer:
    """A server that works for as long as it is told so."""

    name = "sleeper"
    port = 0

    def __init__(self, folder: Path) -> None:
        self.log = folder / "sleeper.log"
        self.room = True
        self.works = True
        self.asked = 0
        self.refusals: list[OSError] = []

    def spawn(self) -> Child:
        if self.refusals:
            raise self.refusals.pop()
        return spawn(self.name, [sys.executable, "-c", "import time; time.sleep(60)"], log=self.log)

    async def is_ready(self) -> bool:
        return True

    async def is_live(self) -> bool:
        self.asked += 1
        return self.works

    def has_room(self) -> bool:
        return self.room

    def failure(self) -> str:
        return "no"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SleepingServer:
    monkeypatch.setattr(keeper_module, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr("deploy.local.backoff.FIRST_S", 0.02)
    return SleepingServer(tmp_path)


async def test_a_server_that_stopped_working_while_its_disk_was_full_is_started_again_once_there_is_room(
    server: SleepingServer,
) -> None:
    async with Kept(server) as kept:
        await kept.heard(Happening.READY)
        server.room = server.works = False
        await asyncio.sleep(0.3)
        assert server.asked == 0
        assert len(kept.told) == 2  # started and ready: a start would find no room
        server.room = True
        await kept.heard(Happening.HUNG)
        server.works = True
        await kept.heard(Happening.READY, 2)
        assert server.asked == keeper_module.SILENCES_ALLOWED_AFTER_FULL_DISK


async def test_a_server_that_works_after_a_full_disk_is_left_alone(server: SleepingServer) -> None:
    async with Kept(server) as kept:
        await kept.heard(Happening.READY)
        server.room = False
        await asyncio.sleep(0.1)
        server.room = True
        await asyncio.sleep(0.3)
        assert server.asked == 1  # and not again for a while
        assert len(kept.told) == 2


async def test_a_program_that_cannot_be_started_for_want_of_room_is_tried_again_and_that_is_told(
    server: SleepingServer,
) -> None:
    server.refusals = [OSError(errno.ENOSPC, "No space left on device")] * 2
    async with Kept(server) as kept:
        await kept.heard(Happening.READY)
        died = await kept.heard(Happening.DIED, 2)
    assert "No space left on device" in died[0].message
    assert not kept.keeper.hopeless.is_set()


def test_a_silence_is_waited_for_longer_where_the_disk_was_not_full() -> None:
    patience = Patience()
    for _ in range(keeper_module.SILENCES_ALLOWED - 1):
        patience.note(is_live=False)
    assert not patience.over
    patience.note(is_live=False)
    assert patience.over


def test_a_moment_of_work_after_a_full_disk_brings_the_patience_back() -> None:
    patience = Patience()
    patience.lacks_room()
    patience.note(is_live=False)
    patience.note(is_live=True)
    for _ in range(keeper_module.SILENCES_ALLOWED_AFTER_FULL_DISK):
        patience.note(is_live=False)
    assert not patience.over
