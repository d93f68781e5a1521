"""A source that takes long to prepare lets others pass, within the memory that a service may have."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import MagicMock

import pytest
from faststream.rabbit import RabbitBroker

from services.gateway.settings import GatewaySettings
from services.ingest.adapters.engines import LocalPreparationEngine
from services.ingest.app import build
from services.ingest.domain.ingest_source import PreparationRequest, Prepared
from services.ingest.domain.options import CuttingOptions
from services.ingest.domain.values import Limits
from services.ingest.settings import IngestSettings
from shared.errors import EngineError
from shared.messaging.topology import SUBMISSIONS
from shared.service import Parts
from shared.settings import SharedSettings
from shared.time_limits import TimeLimits

OPTIONS = CuttingOptions(limits=Limits(), slide_range_s=600, pages_per_unit=16)
OTHERS_S = 1.0


class Process:
    """Stands for an engine's process: a source whose name is in `long` takes until `go_on`."""

    def __init__(self, go_on: asyncio.Event) -> None:
        self._go_on = go_on
        self._busy = False
        self.prepared: list[str] = []

    async def run(self, _limits: Any, _function: Any, request: PreparationRequest, _options: Any) -> Prepared:
        assert not self._busy, "one at a time"
        self._busy = True
        self.prepared.append(request.name)
        try:
            await asyncio.sleep(0)
            if request.name == "broken":
                raise EngineError("broken")
            if request.name == "long":
                await self._go_on.wait()
        finally:
            self._busy = False
        return Prepared(source=request.source, sha256="", size=1, kind="document", media_type="application/pdf")


def pool(count: int) -> tuple[LocalPreparationEngine, list[Process], asyncio.Event]:
    go_on = asyncio.Event()
    processes = [Process(go_on) for _ in range(count)]
    engine = LocalPreparationEngine(cast("Any", processes), OPTIONS, TimeLimits.of(10))
    return engine, processes, go_on


def request(name: str) -> PreparationRequest:
    return PreparationRequest(source=Path("source"), name=name, unit_s=300)


async def test_short_sources_pass_those_that_take_long() -> None:
    engine, _, go_on = pool(3)
    long = [asyncio.create_task(engine.prepare(request("long"))) for _ in range(2)]
    async with asyncio.timeout(OTHERS_S):
        await asyncio.gather(*(engine.prepare(request(f"short {number}")) for number in range(5)))
    assert not any(task.done() for task in long)
    go_on.set()
    await asyncio.gather(*long)


async def test_a_place_is_free_again_after_a_fault_and_after_a_cancellation() -> None:
    engine, _, _ = pool(1)
    with pytest.raises(EngineError):
        await engine.prepare(request("broken"))
    cancelled = asyncio.create_task(engine.prepare(request("long")))
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    async with asyncio.timeout(OTHERS_S):
        await engine.prepare(request("short"))


async def test_one_process_is_enough_for_what_comes_one_after_another() -> None:
    engine, processes, _ = pool(3)
    for number in range(3):
        await engine.prepare(request(f"short {number}"))
    assert sorted(len(process.prepared) for process in processes) == [0, 0, 3]


@pytest.mark.parametrize("settings", [IngestSettings(), IngestSettings(preparations=7)])
async def test_one_message_more_is_in_hand_than_sources_are_prepared(settings: IngestSettings) -> None:
    broker = RabbitBroker()
    beside = {"settings": SimpleNamespace(speech_model="base"), "database": MagicMock(), "broker": broker}
    parts = SimpleNamespace(store=None, scratch=None, publish=None, **beside)
    await build(cast("Any", None), settings, cast("Parts", parts))
    taken = {one.queue.name: one.channel.prefetch_count for one in broker.subscribers}
    assert taken[SUBMISSIONS.name] == settings.preparations + 1


def test_by_default_no_user_holds_every_place_and_all_of_them_fit_into_memory() -> None:
    ingest = IngestSettings()
    assert ingest.preparations > GatewaySettings().jobs_in_flight
    assert ingest.preparations * ingest.memory_mb <= SharedSettings().engine_total_mb
