"""What the gateway says about a job, derived from what is known of it by one pure function."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.events import STAGES, Parameters, Stage

Status = Literal["submitted", "running", "failed", "partial", "done"]
STATUSES: tuple[Status, ...] = ("submitted", "running", "failed", "partial", "done")  # a job only moves to the right
TERMINAL: frozenset[str] = frozenset({"failed", "partial", "done"})
DELETED = "deleted"

_EXAMPLE_ID = "0192f3c4-7a1e-4d3c-9c55-6d1f0a2b3c4d"


class Answer(BaseModel):
    """Base of what the API returns."""

    model_config = ConfigDict(frozen=True)


class StageProgress(Answer):
    """How far one stage is.

    A stage is `running` from the moment it is its turn. `units` is null until it is known how much work there is.
    """

    stage: Stage
    status: Literal["waiting", "running", "done", "failed"]
    units_done: Annotated[int, Field(ge=0, description="Finished units, each counted once.")] = 0
    units: Annotated[int | None, Field(description="Units of the stage in all.")] = None


class JobSource(Answer):
    """The file that was handed in, and what it turned out to be."""

    name: str
    size: int | None = None
    sha256: str | None = None
    kind: Literal["recording", "document"] | None = None
    duration_s: float | None = None
    page_count: int | None = None


class JobArtifact(Answer):
    """A file that was made."""

    name: str
    size: int
    sha256: str
    media_type: str
    url: Annotated[str, Field(description="Path at this gateway.")]


class JobError(Answer):
    """Why a job failed, in words for its owner."""

    code: str
    message: str
    stage: Stage


class Job(Answer):
    """A job as its owner sees it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "job_id": _EXAMPLE_ID,
                "status": "running",
                "title": None,
                "source": {"name": "week-3.mp4", "size": 73400320, "kind": "recording", "duration_s": 3120.5},
                "parameters": {"paper": "a4", "language": "en", "unit_s": 300},
                "submitted_at": "2026-03-01T09:30:00Z",
                "stages": [
                    {"stage": "ingest", "status": "done", "units_done": 1, "units": 1},
                    {"stage": "transcription", "status": "running", "units_done": 4, "units": 14},
                    {"stage": "analysis", "status": "waiting", "units_done": 0, "units": None},
                    {"stage": "rendering", "status": "waiting", "units_done": 0, "units": None},
                ],
                "error": None,
                "warnings": [],
                "missing": [],
                "artifacts": [],
                "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
                "revision": 6,
            }
        }
    )

    job_id: str
    status: Status
    title: Annotated[str | None, Field(description="Title of the handout, once there is one.")] = None
    source: JobSource
    parameters: Parameters
    submitted_at: datetime | None = None
    stages: tuple[StageProgress, ...]
    error: JobError | None = None
    warnings: tuple[str, ...] = ()
    missing: Annotated[tuple[str, ...], Field(description="Optional files that could not be made, and why.")] = ()
    artifacts: tuple[JobArtifact, ...] = ()
    trace_id: Annotated[str | None, Field(description="OpenTelemetry trace of the job, 32 hexadecimal digits.")] = None
    revision: Annotated[int, Field(description="Grows whenever something above changes.")] = 0


Facts = Mapping[str, Any]

# The fact that ends each stage.
_END_OF: dict[Stage, str] = {
    "ingest": "ingested",
    "transcription": "transcribed",
    "analysis": "analysed",
    "rendering": "rendered",
}


def finished_stages(facts: Facts) -> int:
    """How many stages are behind the job: a stage that ended says that those before it did, whatever is missing."""
    ended = [number for number, stage in enumerate(STAGES, start=1) if _END_OF[stage] in facts]
    if "rendered_partly" in facts:
        ended.append(len(STAGES))
    return max(ended, default=0)


def _failure(facts: Facts) -> JobError | None:
    """The failure to tell: of several the one in the earliest stage, so that their order does not matter."""
    failures = facts.get("failures", ())
    if not failures:
        return None
    first = min(failures, key=lambda failure: (STAGES.index(failure["stage"]), failure["queue"], failure["code"]))
    return JobError(code=first["code"], message=first["message"], stage=first["stage"])


def derive_status(facts: Facts) -> Status:
    """Where the job stands. More facts never move it back."""
    if "rendered" in facts:
        return "done"
    if "rendered_partly" in facts:
        return "partial"
    if facts.get("failures"):
        return "failed"
    if finished_stages(facts) or any(facts.get("finished", {}).values()):
        return "running"
    return "submitted"


def _stage(number: int, stage: Stage, facts: Facts, error: JobError | None) -> StageProgress:
    behind = finished_stages(facts)
    known = facts.get("units", {}).get(stage)
    finished = len(facts.get("finished", {}).get(stage, ()))
    if number < behind:
        units = max(known or 1, finished)
        return StageProgress(stage=stage, status="done", units_done=units, units=units)
    # Work that is one piece is one unit; how many pieces transcription has is known after ingest.
    units = known or (None if stage == "transcription" else 1)
    units = max(units, finished) if units else None
    if error is not None and error.stage == stage:
        return StageProgress(stage=stage, status="failed", units_done=finished, units=units)
    running = error is None and (number == behind or finished > 0)
    return StageProgress(stage=stage, status="running" if running else "waiting", units_done=finished, units=units)


def _source(facts: Facts) -> JobSource:
    submitted, ingested = facts.get("submitted", {}), facts.get("ingested", {})
    return JobSource(
        name=submitted.get("name") or ingested.get("name") or "",
        size=submitted.get("size") if submitted.get("size") is not None else ingested.get("size"),
        sha256=submitted.get("sha256") or ingested.get("sha256"),
        kind=ingested.get("kind"),
        duration_s=ingested.get("duration_s"),
        page_count=ingested.get("page_count"),
    )


def _artifact(job_id: str, artifact: Mapping[str, Any]) -> JobArtifact:
    stored = artifact["object"]
    return JobArtifact(
        name=artifact["name"],
        size=stored["size"],
        sha256=stored["sha256"],
        media_type=stored["media_type"],
        url=f"/v1/jobs/{job_id}/artifacts/{artifact['name']}",
    )


def derive(job_id: str, facts: Facts) -> Job:
    """The job that `facts` describe; equal facts give equal jobs, in whatever order they came."""
    submitted = facts.get("submitted", {})
    rendered = facts.get("rendered") or facts.get("rendered_partly") or {}
    status = derive_status(facts)
    error = _failure(facts) if status == "failed" else None
    warnings = rendered.get("warnings") or facts.get("ingested", {}).get("warnings") or ()
    return Job(
        job_id=job_id,
        status=status,
        title=rendered.get("title"),
        source=_source(facts),
        parameters=Parameters.model_validate(submitted.get("parameters", {})),
        submitted_at=submitted.get("at"),
        stages=tuple(_stage(number, stage, facts, error) for number, stage in enumerate(STAGES)),
        error=error,
        warnings=tuple(warnings),
        missing=tuple(rendered.get("missing", ())),
        artifacts=tuple(_artifact(job_id, artifact) for artifact in rendered.get("artifacts", ())),
        trace_id=facts.get("trace_id") or facts.get("seen_trace_id"),
    )
