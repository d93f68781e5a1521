"""The two results that travel between services, published as JSON Schema with a version.

`SourceDocument` is what was said, shown and written, as blocks with provenance. `StudyGuide` is what was made of
it; each of its items lists the ids of the blocks it comes from. Neither holds a job id, a storage key or the time
of a run, so the same source gives the same bytes.
"""

from operator import not_
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

# For fields that came later. Readers from before them refuse what they do not know, so it is written only where needed.
WRITTEN_IF_SET = Field(exclude_if=not_)
Seconds = Annotated[float, Field(ge=0, description="Seconds from the start of the recording.")]
BlockId = Annotated[str, Field(min_length=1, max_length=40)]


class Value(BaseModel):
    """A frozen value that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TimeSpan(Value):
    """A half-open span of the recording, in seconds."""

    start_s: Seconds
    end_s: Seconds

    @model_validator(mode="after")
    def _ordered(self) -> "TimeSpan":
        if self.end_s < self.start_s:
            raise ValueError("end_s is before start_s")
        return self


class PageBox(Value):
    """A box on a page: `page` counts from 1; coordinates are points (1/72 inch) from the page's top left corner."""

    page: Annotated[int, Field(ge=1)]
    x0: float
    y0: float
    x1: float
    y1: float


class Image(Value):
    """A picture beside the document: `name` is its path relative to the document (`slides/001.png`)."""

    name: Annotated[str, Field(pattern=r"^(slides|figures)/[0-9a-z_-]+\.png$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0)]
    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]


class Utterance(Value):
    """Something said: about a sentence. `slide` is the number of the slide that was shown, if any."""

    kind: Literal["utterance"] = "utterance"
    id: BlockId
    text: str
    time: TimeSpan
    slide: int | None = None


class SlideBlock(Value):
    """A slide of a recording, in its fullest build. `spans` are the times it was on screen, in order."""

    kind: Literal["slide"] = "slide"
    id: BlockId
    number: Annotated[int, Field(ge=1)]
    title: str
    text: str
    image: Image
    spans: Annotated[tuple[TimeSpan, ...], Field(min_length=1)]


class TextBlock(Value):
    """A piece of text on a page. `level` is a heading's depth, from 1; `code` keeps its lines and leading blanks."""

    kind: Literal["heading", "paragraph", "list_item", "caption", "formula", "code"]
    id: BlockId
    text: str
    box: PageBox
    level: Annotated[int, Field(ge=1, le=6)] | None = None


class TableBlock(Value):
    """A table on a page: `rows` of cells, the first row being the header where there is one."""

    kind: Literal["table"] = "table"
    id: BlockId
    text: str
    box: PageBox
    rows: tuple[tuple[str, ...], ...]
    has_header: bool = True


class FigureBlock(Value):
    """A picture on a page; `text` is its caption or empty. `whole_page` says that it shows all of a slide."""

    kind: Literal["figure"] = "figure"
    id: BlockId
    text: str = ""
    box: PageBox
    image: Image
    whole_page: Annotated[bool, WRITTEN_IF_SET] = False


Block = Annotated[Utterance | SlideBlock | TextBlock | TableBlock | FigureBlock, Field(discriminator="kind")]


class Source(Value):
    """What was handed in. `name` is sanitised; `sha256` is of the file as it came."""

    name: str
    media_type: str
    size: int
    sha256: str


class SourceDocument(Value):
    """A recording or a document as blocks in reading order (utterances by time; each slide before what was said).

    `kind` says whether blocks carry times (`recording`) or page boxes (`document`). `engines` names what made it,
    by task (`speech`, `slides`, `ocr`, `layout`). `warnings` are sentences for the reader of the handout.
    """

    schema_version: Literal["1.0"] = "1.0"
    kind: Literal["recording", "document"]
    source: Source
    title: str | None = Field(default=None, description="Title in the source's own metadata, if it has one.")
    language: str = "en"
    duration_s: Seconds | None = None
    page_count: int | None = None
    engines: dict[str, str] = Field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    warnings: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _unique_ids(self) -> "SourceDocument":
        ids = [block.id for block in self.blocks]
        if len(ids) != len(set(ids)):
            raise ValueError("block ids are not unique")
        return self


class Word(Value):
    """A recognised word; `confidence` is the engine's probability, 0 to 1."""

    start_s: Seconds
    end_s: Seconds
    text: str
    confidence: Annotated[float, Field(ge=0, le=1)]


class Segment(Value):
    """About a sentence of speech with its words."""

    start_s: Seconds
    end_s: Seconds
    text: str
    words: tuple[Word, ...]


class Transcript(Value):
    """The whole transcript of a recording, as published in `transcript.json`."""

    language: str
    duration_s: Seconds
    engine: str
    segments: tuple[Segment, ...]


Evidence = Annotated[tuple[BlockId, ...], Field(min_length=1, description="Ids of the blocks it comes from.")]


class Claim(Value):
    """A sentence and the blocks it comes from."""

    text: Annotated[str, Field(min_length=1)]
    blocks: Evidence


class GlossaryEntry(Value):
    """A term, what the source says it is, and where."""

    term: Annotated[str, Field(min_length=1)]
    definition: Annotated[str, Field(min_length=1)]
    blocks: Evidence


class Question(Value):
    """A multiple-choice question with one right option."""

    stem: Annotated[str, Field(min_length=1)]
    options: Annotated[tuple[str, ...], Field(min_length=2, max_length=6)]
    answer: Annotated[int, Field(ge=0, description="Index of the right option.")]
    explanation: str = ""
    blocks: Evidence

    @model_validator(mode="after")
    def _answer_exists(self) -> "Question":
        if self.answer >= len(self.options):
            raise ValueError("answer is not one of the options")
        return self


class Section(Value):
    """A part of the source. `blocks` are all it covers, in order; `illustrations` the slides, figures, tables
    and listings worth showing beside its key points."""

    id: BlockId
    title: Claim
    key_points: tuple[Claim, ...] = ()
    illustrations: tuple[BlockId, ...] = ()
    blocks: Evidence


class Engine(Value):
    """What made the guide. `offline` guides are extractive: their sentences are the source's own."""

    name: str
    offline: bool
    note: str = ""


class StudyGuide(Value):
    """What was made of a source. `title_blocks` is empty when the title is the file's own name."""

    schema_version: Literal["1.0"] = "1.0"
    title: str
    title_blocks: tuple[BlockId, ...] = ()
    language: str = "en"
    engine: Engine
    summary: tuple[Claim, ...] = ()
    sections: tuple[Section, ...] = ()
    glossary: tuple[GlossaryEntry, ...] = ()
    questions: tuple[Question, ...] = ()
    warnings: tuple[str, ...] = ()
