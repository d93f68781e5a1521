"""Joins the units of a source into its one document: a pure function of the plan and the units."""

from dataclasses import dataclass, field

from services.transcription.pages import join as pages_join
from services.transcription.pages.models import PageUnit
from services.transcription.slides import join as slides_join
from services.transcription.slides.values import JoinedSlide, SlideUnit
from services.transcription.speech import join as speech_join
from services.transcription.speech.recognise import SpeechUnit
from shared.documents import Image, SlideBlock, Source, SourceDocument, Transcript
from shared.events import SourceIngested

NO_SPEECH = "No speech was found in this recording."
NO_TEXT = "No text was found in this document."


@dataclass(frozen=True)
class AssembledSource:
    """A document, its transcript, and where its pictures come from: name -> (unit, name of the file there)."""

    document: SourceDocument
    transcript: Transcript | None = None
    pictures: dict[str, tuple[str, str]] = field(default_factory=dict)


def assemble(
    plan: SourceIngested, *, speech: list[SpeechUnit], slides: dict[str, SlideUnit], pages: dict[str, PageUnit]
) -> AssembledSource:
    """One document from all units of a source."""
    if plan.facts.kind == "document":
        return _assemble_pages(plan, pages)
    return _assemble_recording(plan, speech, slides)


def _source(plan: SourceIngested) -> Source:
    original = plan.original
    return Source(name=plan.facts.name, media_type=original.media_type, size=original.size, sha256=original.sha256)


def _assemble_recording(
    plan: SourceIngested, speech: list[SpeechUnit], slides: dict[str, SlideUnit]
) -> AssembledSource:
    transcript = speech_join.join_units(speech, plan.facts.duration_s or 0.0)
    joined = slides_join.join_units(list(slides.values()))
    blocks = [_slide_block(slide) for slide in joined]
    utterances = slides_join.align(speech_join.to_utterances(transcript), blocks)
    by_start = {unit.start_s: name for name, unit in slides.items()}
    warnings = [*plan.facts.warnings, *(warning for unit in slides.values() for warning in unit.warnings)]
    if not transcript.segments:
        warnings.append(NO_SPEECH)
    document = SourceDocument(
        kind="recording",
        source=_source(plan),
        title=plan.facts.title,
        language=transcript.language,
        duration_s=plan.facts.duration_s,
        engines={"speech": transcript.engine}
        | ({"slides": "lectern block difference", "ocr": "rapidocr"} if slides else {}),
        blocks=slides_join.interleave(utterances, blocks),
        warnings=tuple(dict.fromkeys(warnings)),
    )
    pictures = {slide.name: (by_start[slide.unit_start_s], slide.picture.name) for slide in joined}
    return AssembledSource(document, transcript, pictures)


def _slide_block(slide: JoinedSlide) -> SlideBlock:
    picture = slide.picture
    return SlideBlock(
        id=f"s{slide.number}",
        number=slide.number,
        title=slide.title,
        text=slide.text,
        image=Image(
            name=slide.name, sha256=picture.sha256, size=picture.size, width=picture.width, height=picture.height
        ),
        spans=slide.spans,
    )


def _assemble_pages(plan: SourceIngested, pages: dict[str, PageUnit]) -> AssembledSource:
    joined = pages_join.join_units(list(pages.values()))
    warnings = [*plan.facts.warnings, *joined.warnings]
    if not joined.blocks:
        warnings.append(NO_TEXT)
    document = SourceDocument(
        kind="document",
        source=_source(plan),
        title=plan.facts.title or joined.title,
        language=plan.parameters.language,
        page_count=plan.facts.page_count,
        engines={"layout": "pdfium"} | ({"ocr": "tesseract"} if joined.ocr_pages else {}),
        blocks=joined.blocks,
        warnings=tuple(dict.fromkeys(warnings)),
    )
    shown = {image.name for image in joined.images}
    pictures = {
        piece.image.name: (name, piece.image.name)
        for name, unit in pages.items()
        for page in unit.pages
        for piece in page.pieces
        if piece.image and piece.image.name in shown
    }
    return AssembledSource(document, pictures=pictures)
