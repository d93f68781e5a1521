"""Joins the units of a source into its one document: a pure function of the plan and the units."""

from services.transcription.domain.notices import NO_TEXT, no_words_notice, slides_notice, speech_notices
from services.transcription.domain.results import AssembledSource
from services.transcription.pages.join import join_units as join_pages
from services.transcription.pages.models import PageUnit
from services.transcription.slides.join import align, interleave
from services.transcription.slides.join import join_units as join_slides
from services.transcription.slides.spelling import as_the_slides_spell
from services.transcription.slides.values import SlideUnit
from services.transcription.speech.join import join_units as join_speech
from services.transcription.speech.join import to_utterances
from services.transcription.speech.recognise import SpeechUnit
from services.transcription.speech.stock_phrases import without_stock_phrases
from shared.documents import Source, SourceDocument
from shared.events import SourceIngested
from shared.speech_notices import is_about_the_end_of_sound


def assemble(plan: SourceIngested, units: dict[str, bytes]) -> AssembledSource:
    """One document from the JSON of all units of a source, by their names."""
    if plan.facts.kind == "document":
        return _assemble_pages(plan, {name: PageUnit.model_validate_json(data) for name, data in units.items()})
    slides = {name: SlideUnit.model_validate_json(data) for name, data in units.items() if name.startswith("slides-")}
    speech = [SpeechUnit.model_validate_json(data) for name, data in units.items() if name.startswith("speech-")]
    return _assemble_recording(plan, speech, slides)


def _source(plan: SourceIngested) -> Source:
    original = plan.original
    return Source(name=plan.facts.name, media_type=original.media_type, size=original.size, sha256=original.sha256)


def _assemble_recording(
    plan: SourceIngested, speech: list[SpeechUnit], slides: dict[str, SlideUnit]
) -> AssembledSource:
    speech = without_stock_phrases(speech)
    transcript = join_speech(speech, plan.facts.duration_s or 0.0)
    joined = join_slides(list(slides.values()))
    utterances = as_the_slides_spell(align(to_utterances(transcript), joined), joined)
    by_start = {unit.start_s: name for name, unit in slides.items()}
    of_slides = [warning for unit in slides.values() for warning in unit.warnings]
    if slides:
        shown = [span for slide in joined for span in slide.spans]
        of_slides += slides_notice(plan.facts.duration_s, shown, other_notices=bool(of_slides))
    warnings = [*speech_notices(speech, transcript), *plan.facts.warnings, *of_slides]
    no_words = no_words_notice(speech, transcript, plan.facts.warnings)
    if no_words:  # says more than where the sound ends
        warnings = [warning for warning in warnings if not is_about_the_end_of_sound(warning)]
    warnings += no_words
    document = SourceDocument(
        kind="recording",
        source=_source(plan),
        title=plan.facts.title,
        language=transcript.language,
        duration_s=plan.facts.duration_s,
        engines={"speech": transcript.engine}
        | ({"slides": "lectern block difference", "ocr": "rapidocr"} if slides else {}),
        blocks=interleave(utterances, joined),
        warnings=tuple(dict.fromkeys(warnings)),
    )
    pictures = {slide.name: (by_start[slide.unit_start_s], slide.picture.name) for slide in joined}
    return AssembledSource(document, transcript, pictures)


def _assemble_pages(plan: SourceIngested, pages: dict[str, PageUnit]) -> AssembledSource:
    joined = join_pages(list(pages.values()))
    warnings = [*plan.facts.warnings, *joined.warnings]
    if not joined.blocks and not joined.warnings:  # what could not be read is not absent
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
