"""Whether the owner of a job that takes its time in every stage is told how far it is, while it is under way."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.clients import Account

LOOK_EVERY_S = 0.3

Stages = dict[str, dict[str, Any]]
EXPECTED: dict[str, Callable[[Stages], bool]] = {
    "some units of transcription, and how many there are": lambda stages: (
        stages["ingest"]["status"] == "done"
        and 0 < stages["transcription"]["units_done"] < (stages["transcription"]["units"] or 0)
    ),
    "transcription done and analysis running": lambda stages: (
        stages["transcription"]["status"] == "done" and stages["analysis"]["status"] == "running"
    ),
    "analysis done and rendering running": lambda stages: (
        stages["analysis"]["status"] == "done" and stages["rendering"]["status"] == "running"
    ),
}


@dataclass
class Progress:
    """What of EXPECTED was told."""

    told: set[str] = field(default_factory=set)

    def note(self, job: dict[str, Any]) -> None:
        """One look at the job."""
        stages = {stage["stage"]: stage for stage in job["stages"]}
        self.told |= {what for what, holds in EXPECTED.items() if holds(stages)}

    def findings(self) -> list[str]:
        """What was never told."""
        return [f"nobody was told, while a job took its time: {what}" for what in EXPECTED if what not in self.told]

    async def watch(self, account: Account, job_id: str) -> None:
        """Look at a job until cancelled."""
        while True:
            job = await account.get(job_id)
            if job is not None:
                self.note(job)
            await asyncio.sleep(LOOK_EVERY_S)
