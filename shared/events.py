"""Every message that travels: events (facts, past tense, owned by their publisher) and commands (one owner).

Bodies are JSON. They carry ids, small facts and references to objects, never content. Routing keys end in the
version of the schema: a change that an old reader would misread gets a new one.
"""

import hashlib
import json
import uuid
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from shared.storage.port import ObjectRef

JobId = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9-]{7,63}$",
        description="Unique id of the job: 8 to 64 lower-case letters, digits and hyphens.",
        examples=["0192f3c4-7a1e-7d3c-9c55-6d1f0a2b3c4d"],
    ),
]
Stage = Literal["ingest", "transcription", "analysis", "rendering"]
STAGES: tuple[Stage, ...] = ("ingest", "transcription", "analysis", "rendering")


Product = Literal["pdf", "html", "markdown", "captions", "data", "pictures"]
PRODUCTS: tuple[Product, ...] = ("pdf", "html", "markdown", "captions", "data", "pictures")


def _in_order(products: tuple[Product, ...]) -> tuple[Product, ...]:
    """Each product once, in the order of PRODUCTS: equal wishes are equal parameters."""
    return tuple(product for product in PRODUCTS if product in products)


def new_job_id() -> str:
    """A random job id."""
    return str(uuid.uuid4())


class Contract(BaseModel):
    """A frozen part of a message. Unknown fields are ignored, so that a newer publisher can add some."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Engines(Contract):
    """Which engine does each kind of work where there is a choice, by name; null: the one that its service has."""

    speech: Annotated[
        str | None,
        Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="Speech model.", examples=["base.en"]),
    ] = None


class Parameters(Contract):
    """What was asked for, frozen at submission; part of the key of every result."""

    paper: Annotated[Literal["a4", "us-letter"], Field(description="Paper size of the PDF.")] = "a4"
    language: Annotated[
        str, Field(pattern=r"^[a-z]{2,3}$", description="Language spoken, ISO 639.", examples=["en"])
    ] = "en"
    unit_s: Annotated[int, Field(ge=30, le=1200, description="Target length of a speech unit in seconds.")] = 300
    required: Annotated[
        tuple[Product, ...],
        AfterValidator(_in_order),
        Field(
            description="Products without which the job fails; any other that cannot be made leaves the job `partial`."
        ),
    ] = ("pdf",)
    engines: Engines = Engines()

    def digest(self) -> str:
        """Twelve hexadecimal digits that are equal for equal parameters only."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]


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


class Command(Message):
    """Work for one queue, sent through the default exchange."""

    queue: ClassVar[str]


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

    owner: Annotated[str, Field(pattern=r"^[A-Za-z0-9@._-]{1,100}$", description="User the job belongs to.")] = "local"
    source: SubmittedSource


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


class SourceTranscribed(Event):
    """The source is one document of blocks with provenance. Published by transcription."""

    routing_key: ClassVar[str] = "source.transcribed.v1"

    document: ObjectRef = Field(description="A `SourceDocument`; its pictures lie beside it under their names.")
    transcript: ObjectRef | None = Field(default=None, description="A `Transcript`, of recordings only.")


class SourceAnalysed(Event):
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
    missing: tuple[str, ...] = Field(default=(), description="Optional artefacts that could not be made, and why.")


class JobDeleted(Event):
    """The owner deleted the job: every service forgets it, now and when late messages come. By the gateway."""

    routing_key: ClassVar[str] = "job.deleted.v1"


class JobCancelled(Event):
    """The owner cancelled this run of the job: every service drops its messages and stops its work. By the gateway."""

    routing_key: ClassVar[str] = "job.cancelled.v1"


class TranscribeSpeech(Command):
    """Recognise the words of one piece."""

    queue: ClassVar[str] = "transcription.speech"

    piece: SpeechPiece
    units: Annotated[int, Field(ge=1)]


class FindSlides(Command):
    """Find the slides shown in one span of the video."""

    queue: ClassVar[str] = "transcription.slides"

    video: ObjectRef
    range: SlideRange
    units: Annotated[int, Field(ge=1)]


class ReadPages(Command):
    """Read the blocks of a range of pages."""

    queue: ClassVar[str] = "transcription.pages"

    document: ObjectRef
    range: PageRange
    units: Annotated[int, Field(ge=1)]


EVENTS: tuple[type[Event], ...] = (
    JobSubmitted,
    SourceIngested,
    UnitFinished,
    SourceTranscribed,
    SourceAnalysed,
    HandoutRendered,
    JobDeleted,
    JobCancelled,
)
COMMANDS: tuple[type[Command], ...] = (TranscribeSpeech, FindSlides, ReadPages)
