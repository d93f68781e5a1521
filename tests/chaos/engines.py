"""Engines that do what a job's content says, fast and always the same, and keep a ledger of what they computed."""

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path

from services.ingest.domain.ingest_source import Piece, PreparationRequest, Prepared
from services.transcription.domain.results import AssembledSource
from services.transcription.pages.models import PageContent, PageUnit
from services.transcription.slides.values import Fingerprint, ScannedSlide, SlidePicture, SlideUnit
from services.transcription.speech.recognise import SpeechUnit
from shared.documents import (
    Block,
    Claim,
    Engine,
    Image,
    Section,
    SlideBlock,
    Source,
    SourceDocument,
    StudyGuide,
    TimeSpan,
    Transcript,
    Utterance,
    Word,
)
from shared.events import PageRange, SlideRange, SourceIngested
from tests.chaos.content import GUIDE, PREPARE, UNIT_S, Content, content_in
from tests.chaos.workshop import Workshop

NAME = "chaos"


@dataclass(frozen=True)
class ChaosPreparation:
    """A PreparationEngine that cuts as many units as the content wants."""

    workshop: Workshop

    async def prepare(self, request: PreparationRequest) -> Prepared:
        """The pieces carry the content on; so does the title, as far as the renderer."""
        content = content_in(request.source)
        await self.workshop.do(content, PREPARE)
        body = request.source.read_bytes()
        numbers = range(1, content.units + 1)
        recording = content.kind == "recording"
        pieces = [self._piece(request.source.parent, content, number) for number in numbers] if recording else []
        spans = range(1, content.slides + 1) if recording else ()
        return Prepared(
            source=request.source,
            sha256=hashlib.sha256(body).hexdigest(),
            size=len(body),
            kind=content.kind,
            media_type="audio/wav" if recording else "application/pdf",
            title=content.line().decode(),
            duration_s=UNIT_S * content.units if recording else None,
            page_count=None if recording else content.units,
            speech=tuple(pieces),
            slides=tuple(SlideRange(number=n, start_s=UNIT_S * (n - 1), end_s=UNIT_S * n) for n in spans),
            pages=() if recording else tuple(PageRange(number=n, first=n, last=n) for n in numbers),
        )

    @staticmethod
    def _piece(folder: Path, content: Content, number: int) -> Piece:
        path = folder / f"speech-{number}.wav"
        path.write_bytes(content.line() + b"\n" + str(number).encode())
        return Piece(number=number, start_s=UNIT_S * (number - 1), end_s=UNIT_S * number, path=path)


@dataclass(frozen=True)
class ChaosSpeech:
    """A SpeechEngine that hears one word a unit."""

    workshop: Workshop

    async def transcribe(self, audio: Path, start_s: float, language: str) -> SpeechUnit:
        """One word: the unit's result."""
        content = content_in(audio)
        unit = f"speech-{round(start_s / UNIT_S) + 1}"
        await self.workshop.do(content, unit)
        word = Word(start_s=start_s, end_s=start_s + 1, text=content.result_of(unit), confidence=1)
        return SpeechUnit(language=language, engine=NAME, words=(word,))


@dataclass(frozen=True)
class ChaosSlides:
    """A SlideEngine that finds one slide a unit."""

    workshop: Workshop

    async def find(self, video: Path, span: SlideRange, output: Path) -> SlideUnit:
        """One slide, whose picture is the unit's result."""
        content = content_in(video)
        unit = f"slides-{span.number}"
        await self.workshop.do(content, unit)
        body = content.result_of(unit).encode()
        name = f"{span.number:03d}.png"
        (output / name).write_bytes(body)
        picture = SlidePicture(name=name, sha256=hashlib.sha256(body).hexdigest(), size=len(body), width=1, height=1)
        slide = ScannedSlide(
            spans=(TimeSpan(start_s=span.start_s, end_s=span.end_s),),
            fingerprint=Fingerprint(grey="", busy=""),
            picture=picture,
            title=unit,
            text=unit,
            cut_at_start=False,
            cut_at_end=False,
        )
        return SlideUnit(start_s=span.start_s, end_s=span.end_s, slides=(slide,))


@dataclass(frozen=True)
class ChaosPages:
    """A PageEngine that reads empty pages."""

    workshop: Workshop

    async def read(self, document: Path, pages: PageRange, output: Path, lost_s: float) -> PageUnit:
        """A page whose title is the unit's result."""
        content = content_in(document)
        unit = f"pages-{pages.number}"
        await self.workshop.do(content, unit)
        page = PageContent(number=pages.first, width=1, height=1, origin="none")
        title = content.result_of(unit)
        return PageUnit(first=pages.first, last=pages.last, page_count=content.units, title=title, pages=(page,))


class ChaosAssembler:
    """An Assembler that puts the results of all units into one document, in their order."""

    async def assemble(self, plan: SourceIngested, units: dict[str, bytes]) -> AssembledSource:
        """A block for each unit, and the pictures of the slides."""
        blocks: list[Block] = []
        pictures: dict[str, tuple[str, str]] = {}
        for number, (unit, body) in enumerate(sorted(units.items()), start=1):
            if unit.startswith("slides"):
                slide = SlideUnit.model_validate_json(body).slides[0]
                blocks.append(_slide_block(unit, number, slide))
                pictures[f"slides/{slide.picture.name}"] = (unit, slide.picture.name)
            else:
                text = hashlib.sha256(body).hexdigest()
                time_span = TimeSpan(start_s=0, end_s=1)
                blocks.append(Utterance(id=unit, text=text, time=time_span))
        original = plan.original
        source = Source(
            name=plan.facts.name, media_type=original.media_type, size=original.size, sha256=original.sha256
        )
        document = SourceDocument(
            kind=plan.facts.kind,
            source=source,
            title=plan.facts.title,
            duration_s=plan.facts.duration_s,
            page_count=plan.facts.page_count,
            blocks=tuple(blocks),
        )
        transcript = Transcript(language="en", duration_s=plan.facts.duration_s or 0, engine=NAME, segments=())
        return AssembledSource(document, transcript if plan.facts.kind == "recording" else None, pictures)


def _slide_block(unit: str, number: int, slide: ScannedSlide) -> SlideBlock:
    picture = slide.picture
    image = Image(name=f"slides/{picture.name}", sha256=picture.sha256, size=picture.size, width=1, height=1)
    return SlideBlock(id=unit, number=number, title=unit, text=unit, image=image, spans=slide.spans)


@dataclass(frozen=True)
class ChaosGuide:
    """A GuideEngine of one claim."""

    workshop: Workshop

    async def make(self, document: Path) -> StudyGuide:
        """A guide that names every block."""
        body = await asyncio.to_thread(document.read_bytes)
        source = SourceDocument.model_validate_json(body)
        content = Content.model_validate_json(source.title or "")
        await self.workshop.do(content, GUIDE)
        blocks = tuple(block.id for block in source.blocks)
        digest = hashlib.sha256(body).hexdigest()
        section = Section(id="section-1", title=Claim(text=digest, blocks=blocks), blocks=blocks)
        engine = Engine(name=NAME, offline=True)
        return StudyGuide(title=content.name, engine=engine, sections=(section,) if blocks else ())
