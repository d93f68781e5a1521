"""Where every engine of every process leaves its traces: a ledger, counts of failures, marks of mended jobs."""

import asyncio
import json
import os
import time
import uuid
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from opentelemetry import trace

from shared.errors import EngineError, EngineLimitError, InvalidSourceError
from shared.telemetry.work import current_work
from tests.chaos.content import POISON_MESSAGE, Content


@dataclass
class Call:
    """One call for a checkpoint: its name, and when it looked whether the result is there."""

    name: str
    looked_at: float | None = None


# Set where a checkpoint is asked for (`watched_checkpoints`).
CALL: ContextVar[Call | None] = ContextVar("chaos_call", default=None)


@dataclass(frozen=True)
class Workshop:
    """The folder of it; `prepare` makes what is in it."""

    folder: Path

    def prepare(self) -> None:
        """Make the folders."""
        for name in ("ledger", "failures", "mended"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def mend(self, job_id: str) -> None:
        """From now on the job's mendable unit works."""
        (self.folder / "mended" / job_id).touch()

    async def do(self, content: Content, unit: str) -> None:
        """Work on `unit` of the job at hand. Raises what the content says."""
        job_id = str(current_work()["job_id"])
        work = uuid.uuid4().hex[:12]
        self._note_work(job_id, unit, work, "begun")
        if unit == content.poisoned:
            self._note_work(job_id, unit, work, "refused")
            raise InvalidSourceError(POISON_MESSAGE)
        await asyncio.sleep(content.slow_s if unit in content.slow else content.work_ms / 1000)
        if unit == content.limited:
            self._note_work(job_id, unit, work, "failed")
            raise EngineLimitError(f"{unit} of {job_id} meets a limit as it was told", limit="memory")
        if self._fails(content, job_id, unit):
            self._note_work(job_id, unit, work, "failed")
            raise EngineError(f"{unit} of {job_id} fails as it was told")
        self._note_work(job_id, unit, work, "done")

    def _fails(self, content: Content, job_id: str, unit: str) -> bool:
        if unit == content.mendable and not (self.folder / "mended" / job_id).exists():
            return True
        if unit in content.missing:
            return True
        times = content.flaky.get(unit, 0)
        if not times:
            return False
        counter = self.folder / "failures" / f"{job_id}-{unit}"
        if counter.exists() and counter.stat().st_size >= times:
            return False
        with counter.open("ab") as file:
            file.write(b".")
        return True

    def _note_work(self, job_id: str, unit: str, work: str, what: str) -> None:
        about = current_work()
        call = CALL.get()
        span = trace.get_current_span().get_span_context()
        self.note(
            job_id,
            str(about.get("unit", unit)),
            what,
            work=work,
            unit=unit,
            run=int(about.get("run", 1)),
            looked=call.looked_at if call else None,
            trace=trace.format_trace_id(span.trace_id) if span.is_valid else None,
        )

    def note(self, job_id: str, checkpoint: str, what: str, **more: object) -> None:
        """One line, whole: a short append is one system call."""
        pid, call = os.getpid(), CALL.get()
        entry = {
            "at": time.time(),
            "pid": pid,
            "call": call.name if call else None,
            "job": job_id,
            "checkpoint": checkpoint,
        }
        line = json.dumps(entry | {"what": what, **more}) + "\n"
        with (self.folder / "ledger" / f"{pid}.jsonl").open("ab", buffering=0) as file:
            file.write(line.encode())
