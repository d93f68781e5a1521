"""What the gateway says about a job."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field

from shared.events import Parameters, Stage

Status = Literal["submitted", "running", "failed", "partial", "done", "cancelled"]
# Within a generation a job only moves to the right.
STATUSES: tuple[Status, ...] = ("submitted", "running", "failed", "partial", "done", "cancelled")
UNDER_WAY: frozenset[str] = frozenset({"submitted", "running"})
TERMINAL: frozenset[str] = frozenset({"failed", "partial", "done", "cancelled"})
RETRYABLE: frozenset[str] = frozenset({"failed", "partial", "cancelled"})
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
    status: Literal["waiting", "running", "done", "failed", "cancelled"]
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
    permanent: Annotated[
        bool, Field(description="It is about what was submitted: another try of the same would end the same.")
    ] = False


class Job(Answer):
    """A job as its owner sees it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "job_id": _EXAMPLE_ID,
                "status": "running",
                "title": None,
                "source": {"name": "week-3.mp4", "size": 73400320, "kind": "recording", "duration_s": 3120.5},
                "parameters": {
                    "paper": "a4",
                    "language": "en",
                    "unit_s": 300,
                    "required": ["pdf"],
                    "engines": {"speech": "base.en"},
                },
                "run": 1,
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
                "trace_url": "http://localhost:16686/trace/4bf92f3577b34da6a3ce929d0e0e4736",
                "revision": 6,
                "retryable": False,
            }
        }
    )

    job_id: str
    status: Status
    title: Annotated[str | None, Field(description="Title of the handout, once there is one.")] = None
    source: JobSource
    parameters: Annotated[
        Parameters,
        Field(
            description="As frozen when the job was submitted; a retry uses the same. An engine is null where an event "
            "named none: its service chose, and `engines` in `document.json` says which it was."
        ),
    ]
    run: Annotated[int, Field(description="1 at first, one more with each retry.")] = 1
    submitted_at: datetime | None = None
    stages: tuple[StageProgress, ...]
    error: JobError | None = None
    warnings: tuple[str, ...] = ()
    missing: Annotated[tuple[str, ...], Field(description="Optional files that could not be made, and why.")] = ()
    artifacts: tuple[JobArtifact, ...] = ()
    trace_id: Annotated[str | None, Field(description="OpenTelemetry trace of the job, 32 hexadecimal digits.")] = None
    trace_url: Annotated[str | None, Field(description="Page of the trace; null where none is set up.")] = None
    revision: Annotated[int, Field(description="Grows whenever something above changes.")] = 0

    @computed_field(description="Whether trying the job again is possible, and can end otherwise.")  # type: ignore[prop-decorator]  # as pydantic documents it
    @property
    def retryable(self) -> bool:
        """Whether `retry` is offered."""
        return self.status in RETRYABLE and not (self.error is not None and self.error.permanent)
