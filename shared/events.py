"""Every event that travels: a fact, in the past tense, owned by its publisher. Commands are in `shared.commands`.

Bodies are JSON. They carry ids, small facts and references to objects, never content. Routing keys end in the
version of the schema: a change that an old reader would misread gets a new one.
"""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AwareDatetime, Field, field_validator

from shared.parameters import PRODUCTS as PRODUCTS  # noqa: PLC0414 -- part of the contracts, and told to others from here
from shared.parameters import Contract as Contract  # noqa: PLC0414 -- part of the contracts, and told to others from here
from shared.parameters import Engines as Engines  # noqa: PLC0414 -- part of the contracts, and told to others from here
from shared.parameters import Parameters as Parameters  # noqa: PLC0414 -- part of the contracts, and told to others from here
from shared.parameters import Product as Product  # noqa: PLC0414 -- part of the contracts, and told to others from here
from shared.storage.port import ObjectRef

JobId = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9-]{7,63}$",
        description="Unique id of the job: 8 to 64 lower-case letters, digits and hyphens.",
        examples=["0192f3c4-7a1e-7d3c-9c55-6d1f0a2b3c4d"],
    ),
]
OWNER = r"^[A-Za-z0-9@._+-]{1,100}$"
Stage = Literal["ingest", "transcription", "analysis", "rendering"]
STAGES: tuple[Stage, ...] = ("ingest", "transcription", "analysis", "rendering")


def new_job_id() -> str:
    """A random job id."""
    return str(uuid.uuid4())


class Message(Contract):
    """Base of events and commands. All of them are about one job, and say the same of it."""

    job_id: JobId
    parameters: Parameters = Parameters()
    submitted_at: AwareDatetime = Field(
        default_factory=lambda: datetime.now(UTC), description="When the job was submitted; the handout's date."
    )
    run: Annotated[
        int, Field(ge=1, le=1000, description="1 at first, and one more each time that the owner retries the job.")
    ] = 1

    def job(self) -> dict[str, Any]:
        """What the next message about the same job says of it."""
        return {
            "job_id": self.job_id,
            "parameters": self.parameters,
            "submitted_at": self.submitted_at,
            "run": self.run,
        }


class Event(Message):
    """A fact on the topic exchange `lectern.events`, under `routing_key`."""

    routing_key: ClassVar[str]


class SubmittedSource(Contract):
    """Where the source lies: `inbox/...` for other systems, the gateway's own prefix for uploads.

    `sha256` and `size` are checked by ingest where they are given.
    """

    key: Annotated[str, Field(max_length=400, examples=["inbox/week-3.mp4"])]
    name: Annotated[str, Field(min_length=1, max_length=5000, description="File name as the user knows it.")]
    sha256: Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$")] = None
    size: Annotated[int | None, Field(ge=0)] = None


class JobSubmitted(Event):
    """Somebody wants a handout of this source. Published by the gateway, or by any other system."""

    routing_key: ClassVar[str] = "job.submitted.v1"

    owner: Annotated[str, Field(pattern=OWNER, description="User the job belongs to.")] = "local"
    source: SubmittedSource

    @field_validator("job_id", mode="before")
    @classmethod
    def _in_lower_case(cls, job_id: object) -> object:
        """Some systems write their ids in upper case; the job is known by the same in lower case."""
        return job_id.lower() if isinstance(job_id, str) else job_id

    @field_validator("submitted_at")
    @classmethod
    def _plausible(cls, at: datetime) -> datetime:
        if not datetime(1970, 1, 1, tzinfo=UTC) <= at <= datetime.now(UTC) + timedelta(days=1):
            raise ValueError("must lie between the year 1970 and tomorrow; leave it out for now")
        return at


class SpeechPiece(Contract):
    """A piece of the sound track, 16 kHz mono, cut at a silence. Times are of the whole recording."""

    number: Annotated[int, Field(ge=1)]
    start_s: Annotated[float, Field(ge=0)]
    end_s: Annotated[float, Field(ge=0)]
    audio: ObjectRef


class SlideRange(Contract):
    """A span of the picture track to look for slides in."""

    number: Annotated[int, Field(ge=1)]
    start_s: Annotated[float, Field(ge=0)]
    end_s: Annotated[float, Field(ge=0)]


class PageRange(Contract):
    """Pages `first` to `last`, counted from 1, both included."""

    number: Annotated[int, Field(ge=1)]
    first: Annotated[int, Field(ge=1)]
    last: Annotated[int, Field(ge=1)]


class SourceFacts(Contract):
    """What the source turned out to be."""

    kind: Literal["recording", "document"]
    name: Annotated[str, Field(description="Sanitised file name.")]
    title: str | None = None
    duration_s: Annotated[float | None, Field(ge=0)] = None
    page_count: Annotated[int | None, Field(ge=1)] = None
    warnings: tuple[str, ...] = ()


class SourceRefused(Event):
    """The source cannot be used, or may not be: the end of this run of the job. Published by the worker that found out.

    No message is given up for it: doing the same again would end the same.
    """

    routing_key: ClassVar[str] = "source.refused.v1"

    stage: Stage
    code: Annotated[str, Field(max_length=100, description="Kind of fault, as in a job's `error`.")]
    message: Annotated[str, Field(max_length=1000, description="For the owner: what is wrong, and what to do.")]
    retry_helps: Annotated[
        bool, Field(description="Whether another try of the same job can end otherwise, as when a file was missing.")
    ] = False


class SourceIngested(Event):
    """The source is sound and cut into units. Published by ingest."""

    routing_key: ClassVar[str] = "source.ingested.v1"

    facts: SourceFacts
    original: ObjectRef = Field(description="The file as it came; what `document.json` names as its source.")
    source: ObjectRef = Field(description="The file to read: the original, or a repaired copy.")
    speech: tuple[SpeechPiece, ...] = ()
    slides: tuple[SlideRange, ...] = ()
    pages: tuple[PageRange, ...] = ()

    def units(self) -> int:
        """How many units of work transcription has with it: at least one, so that an empty recording ends too."""
        return max(1, len(self.speech) + len(self.slides) + len(self.pages))


class UnitFinished(Event):
    """One unit of a stage has its result. `unit` is unique in its stage, so a repetition changes nothing."""

    routing_key: ClassVar[str] = "unit.finished.v1"

    stage: Stage
    unit: Annotated[str, Field(pattern=r"^[a-z]+-[0-9]+$", examples=["speech-2"])]
    units: Annotated[int, Field(ge=1, description="Units of the stage in all.")]


class Incomplete(Event):
    """An event about what was made of a source of which parts may be `missing`."""

    missing: tuple[str, ...] = Field(default=(), description="Parts of the source that could not be read, and why.")

    def name_for(self, result: str) -> str:
        """The name under which a stage keeps `result`: with something missing, it belongs to this run alone."""
        return f"{result}-of-run-{self.run}" if self.missing else result

    def folder(self) -> str:
        """The last part of the prefix of a stage's objects, by the same rule."""
        return f"{self.parameters.digest()}-of-run-{self.run}" if self.missing else self.parameters.digest()


class SourceTranscribed(Incomplete):
    """The source is one document of blocks with provenance. Published by transcription."""

    routing_key: ClassVar[str] = "source.transcribed.v1"

    document: ObjectRef = Field(description="A `SourceDocument`; its pictures lie beside it under their names.")
    transcript: ObjectRef | None = Field(default=None, description="A `Transcript`, of recordings only.")


class SourceAnalysed(Incomplete):
    """There is a study guide. Published by analysis."""

    routing_key: ClassVar[str] = "source.analysed.v1"

    document: ObjectRef
    transcript: ObjectRef | None = None
    guide: ObjectRef = Field(description="A `StudyGuide`.")


class Artifact(Contract):
    """A file for the user. `name` is its path in what is fetched (`handout.pdf`, `slides/001.png`)."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)?\.[a-z0-9]+$")]
    object: ObjectRef


class HandoutRendered(Event):
    """The files are there. Published by rendering."""

    routing_key: ClassVar[str] = "handout.rendered.v1"

    title: str
    artifacts: tuple[Artifact, ...]
    warnings: tuple[str, ...] = ()
    missing: tuple[str, ...] = Field(default=(), description="What could not be read or made, and why.")


class JobDeleted(Event):
    """The owner deleted the job: every service forgets it, now and when late messages come. By the gateway."""

    routing_key: ClassVar[str] = "job.deleted.v1"


class JobCancelled(Event):
    """The owner cancelled this run of the job: every service drops its messages and stops its work. By the gateway."""

    routing_key: ClassVar[str] = "job.cancelled.v1"


class JobFault(Contract):
    """Why a job failed. `message` is for the owner: what is wrong, and what to do."""

    code: str
    message: str
    stage: Stage


class JobEnded(Event):
    """A run of a job has ended, however it was submitted and however it ended. By the gateway.

    An end keeps its `message_id` however often it is told; a further end, after a replay or a retry, has its own.
    """

    routing_key: ClassVar[str] = "job.ended.v1"

    owner: str
    status: Literal["done", "partial", "failed", "cancelled"]
    title: str | None = None
    error: JobFault | None = Field(default=None, description="Why it is `failed`, or `partial` after a retry.")
    missing: tuple[str, ...] = Field(default=(), description="Optional files that could not be made, and why.")
    artifacts: tuple[Artifact, ...] = Field(default=(), description="The files that there are.")
    trace_id: str | None = Field(default=None, description="OpenTelemetry trace of the job.")


EVENTS: tuple[type[Event], ...] = (
    JobSubmitted,
    SourceIngested,
    SourceRefused,
    UnitFinished,
    SourceTranscribed,
    SourceAnalysed,
    HandoutRendered,
    JobDeleted,
    JobCancelled,
    JobEnded,
)
