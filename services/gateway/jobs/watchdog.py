"""No job for ever: those that nobody has heard of for too long are published again, and in the end failed.

Publishing again is safe: every stage finds its checkpoints, repeats its events and computes only what is missing.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from services.gateway.jobs.admission import Admission, trace_of
from services.gateway.jobs.derive import finished_stages, run_of
from services.gateway.jobs.facts import Failure
from services.gateway.jobs.outlook import Outlook
from services.gateway.jobs.read_model import ReadModel
from shared.database import Document
from shared.events import STAGES, Stage
from shared.messaging.topology import WORK_QUEUES
from shared.telemetry import note_work

log = structlog.get_logger()

NUDGES = 2
STUCK = "stuck"
# While messages wait in its queues a stage is more likely busy than forgetful: a job is asked after this much later,
# and never failed.
PATIENCE = 6
QUEUES: Mapping[Stage, tuple[str, ...]] = {
    stage: tuple(queue.name for queue in WORK_QUEUES if queue.service == stage) for stage in STAGES
}


@dataclass(frozen=True)
class Limits:
    """How long a job may be silent in each stage, in seconds."""

    ingest_s: float
    transcription_s: float
    analysis_s: float
    rendering_s: float

    def of(self, stage: Stage) -> timedelta:
        """The limit of one stage."""
        limits: dict[Stage, float] = {
            "ingest": self.ingest_s,
            "transcription": self.transcription_s,
            "analysis": self.analysis_s,
            "rendering": self.rendering_s,
        }
        return timedelta(seconds=limits[stage])


class Watchdog:
    """Looks after silent jobs. Several may run at once: of those that see a job, one acts on it.

    `waiting` counts the messages that wait in some queues.
    """

    def __init__(
        self,
        read_model: ReadModel,
        outlook: Outlook,
        admission: Admission,
        waiting: Callable[[tuple[str, ...]], Awaitable[int]],
        limits: Limits,
    ) -> None:
        self._read_model = read_model
        self._outlook = outlook
        self._admission = admission
        self._waiting = waiting
        self._limits = limits

    async def look(self) -> None:
        """See to the jobs that are due. Raises LecternError when something that it needs is away."""
        now = datetime.now(UTC)
        earliest = now - min(self._limits.of(stage) for stage in STAGES)
        for document in await self._outlook.silent(since_before=earliest):
            stage = _stage_of(document)
            silence, limit = now - document["changed_at"], self._limits.of(stage)
            if silence < limit:
                continue
            busy = await self._waiting(QUEUES[stage]) > 0
            with trace_of(document):
                note_work(stage=stage)
                if not busy and document.get("nudges", 0) >= NUDGES:
                    await self._fail(document, stage, silence)
                elif silence >= (PATIENCE if busy else 1) * limit:
                    await self._nudge(document, stage, silence)

    async def _nudge(self, document: Document, stage: Stage, silence: timedelta) -> None:
        claimed = await self._read_model.nudge(document["_id"], document["revision"])
        if claimed is not None and "submitted" in document["facts"]:
            await self._admission.announce(document)
            log.warning("silent job published again", job_id=document["_id"], stage=stage, silent_s=_seconds(silence))

    async def _fail(self, document: Document, stage: Stage, silence: timedelta) -> None:
        run = run_of(document["facts"])
        failure = Failure(
            stage=stage,
            queue=QUEUES[stage][0],
            code=STUCK,
            message="This job made no progress for a long time and was given up. Try it again.",
            run=run,
            letter=f"{STUCK}-{run}",
        )
        await self._read_model.add(document["_id"], failure.addition())
        log.error("silent job failed", job_id=document["_id"], stage=stage, silent_s=_seconds(silence))


def _stage_of(document: Document) -> Stage:
    return STAGES[min(finished_stages(document["facts"]), len(STAGES) - 1)]


def _seconds(silence: timedelta) -> int:
    return round(silence.total_seconds())
