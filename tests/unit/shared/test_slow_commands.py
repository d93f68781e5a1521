"""A plan that could not be had while the database was slow is asked for again; one that was had is remembered."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pymongo.errors import NetworkTimeout
from pymongo.monitoring import CommandStartedEvent, CommandSucceededEvent
from structlog.testing import capture_logs

from shared.slow_commands import SlowCommandLog

SERVER = ("database", 27017)
PLAN = {"queryPlanner": {"winningPlan": {"stage": "FETCH", "inputStage": {"stage": "IXSCAN", "indexName": "owner_1"}}}}


async def _told(lines: Sequence[object], count: int) -> None:
    async with asyncio.timeout(5):
        while len(lines) < count:
            await asyncio.sleep(0.01)


async def test_only_a_plan_that_was_had_is_remembered() -> None:
    asked: list[dict[str, Any]] = []

    async def explain(_database: str, search: dict[str, Any]) -> dict[str, Any]:
        asked.append(search)
        if len(asked) == 1:
            raise NetworkTimeout("away")
        return PLAN

    slow = SlowCommandLog(0, explain)
    with capture_logs() as lines:
        for number in range(3):
            command: Any = {"find": "jobs", "filter": {"owner": "ada"}}
            slow.listener.started(CommandStartedEvent(command, "lectern_gateway", number, SERVER, number))
            slow.listener.succeeded(CommandSucceededEvent(timedelta(seconds=1), {}, "find", number, SERVER, number))
            await _told(lines, number + 1)
    await slow.close()
    assert [line.get("index") for line in lines] == [None, "owner_1", "owner_1"]
    assert len(asked) == 2
