"""A service that waits for its servers is left in peace; one that alone finds no way to them is started again."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local import keeper as keeper_module
from deploy.local import services as services_module
from deploy.local.keeper import Happening
from deploy.local.processes import free_ports
from deploy.local.services import Service, ServiceProgram
from tests.unit.local.kept import Kept

WELL = {"broker": "ok", "database": "ok", "storage": "ok", "scratch": "ok", "service": "ok"}
WAITING = WELL | {"database": "failing", "service": "starting"}
SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")


class Health:
    """The health page of one service."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.parts: dict[str, str] | None = WELL

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        well = self.parts == WELL or b"/health/live" in request
        body = json.dumps({"parts": self.parts}) if self.parts is not None else "nothing that anybody understands"
        writer.write(f"HTTP/1.1 {200 if well else 503} Whatever\r\n\r\n{body}".encode())
        writer.close()


@asynccontextmanager
async def serving(name: str, folder: Path) -> AsyncIterator[Health]:
    (port,) = free_ports(1)
    service = Service(ServiceProgram(name, SLEEP, "PORT"), log=folder / f"{name}.log", port=port, environment={})
    health = Health(service)
    async with await asyncio.start_server(health.answer, "127.0.0.1", port):
        yield health


@pytest_asyncio.fixture
async def three(tmp_path: Path) -> AsyncIterator[list[Health]]:
    async with AsyncExitStack() as stack:
        found = [await stack.enter_async_context(serving(name, tmp_path)) for name in ("ingest", "analysis", "gateway")]
        for health in found:
            health.service.peers = [other.service for other in found if other is not health]
        yield found


async def look(three: list[Health]) -> list[bool]:
    """What each answers once all have been asked."""
    for health in three:
        await health.service.is_live()
    return [await health.service.is_live() for health in three]


async def test_a_server_that_is_away_for_all_is_nobody_s_fault(three: list[Health]) -> None:
    for health in three:
        health.parts = WAITING
    assert await look(three) == [True, True, True]


async def test_a_service_that_alone_finds_no_way_to_a_server_no_longer_works(three: list[Health]) -> None:
    three[1].parts = WELL | {"broker": "failing"}
    assert await look(three) == [True, False, True]
    three[2].parts = WELL | {"broker": "failing"}
    assert await look(three) == [True, True, True]  # then it may well be the broker


async def test_what_was_said_long_ago_is_no_proof_that_a_server_works(
    three: list[Health], monkeypatch: pytest.MonkeyPatch
) -> None:
    three[1].parts = WELL | {"broker": "failing"}
    await look(three)
    monkeypatch.setattr(services_module, "RECENT_S", -1.0)
    assert await three[1].service.is_live()


async def test_a_full_disk_of_temporary_files_is_no_reason_for_a_start(three: list[Health]) -> None:
    three[0].parts = WELL | {"scratch": "failing"}
    assert await look(three) == [True, True, True]


async def test_an_answer_that_is_no_report_says_nothing(three: list[Health]) -> None:
    three[0].parts = None
    assert await look(three) == [True, True, True]
    assert three[0].service.missing == ()


async def test_a_start_that_waits_for_a_server_is_not_cut_short_and_is_told_once(
    three: list[Health], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper_module, "WAITING_TOLD_AFTER_S", 0.2)
    three[0].parts = WAITING
    async with Kept(three[0].service, ready_limit_s=0.5) as kept:
        [waits] = await kept.heard(Happening.WAITING)
        await asyncio.sleep(1.5)  # three times what a start may take
        three[0].parts = WELL
        await kept.heard(Happening.READY)
    assert waits.message == "ingest waits for: database."
    assert [event.happening for event in kept.told] == [Happening.STARTED, Happening.WAITING, Happening.READY]


async def test_a_start_that_hangs_though_all_its_servers_work_is_cut_short(three: list[Health]) -> None:
    three[0].parts = WELL | {"service": "starting"}
    async with Kept(three[0].service, ready_limit_s=0.5) as kept:
        await kept.heard(Happening.DIED)
        await kept.heard(Happening.STARTED, 2)
    assert not [event for event in kept.told if event.happening is Happening.WAITING]
