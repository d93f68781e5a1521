"""What ingest does to a source, in one call for a child process."""

import hashlib
from pathlib import Path

from services.ingest.adapters.audio import extract_audio
from services.ingest.adapters.cut import plan_cuts, write_unit
from services.ingest.adapters.inspect import inspect_source
from services.ingest.domain import sentences
from services.ingest.domain.ingest_source import Piece, PreparationRequest, Prepared
from services.ingest.domain.options import CuttingOptions
from services.ingest.domain.ranges import plan_page_ranges, plan_slide_ranges
from services.ingest.domain.values import AudioFacts, Inspection, Limits
from shared.errors import InvalidSourceError
from shared.events import PageRange, SlideRange
from shared.speech_notices import UNREADABLE_SOUND


def prepare_source(request: PreparationRequest, options: CuttingOptions) -> Prepared:
    """Inspect the source and cut it into units. Raises InvalidSourceError, SourceTooLargeError, EngineError."""
    found = inspect_source(request.source, request.name, options.limits)
    with request.source.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    duration_s = found.duration_s
    speech: tuple[Piece, ...] = ()
    warnings = found.warnings
    if found.has_audio:
        try:
            speech, sound = _cut_speech(found, request, options.limits)
            duration_s = max(duration_s or 0.0, sound.duration_s)
            if (ended := sentences.sound_ends(sound.sound_s, duration_s)) and not sound.silent:
                warnings = (*warnings, ended)
            if sound.unheard:
                warnings = (*warnings, sentences.unheard_tracks(sound.unheard))
            if sound.others:
                warnings = (*warnings, sentences.other_tracks(sound.others))
        except InvalidSourceError:
            if not found.has_video:
                raise
            warnings = (*warnings, UNREADABLE_SOUND)
    spans = plan_slide_ranges(duration_s, options.slide_range_s) if found.has_video and duration_s else []
    pages = plan_page_ranges(found.page_count or 0, options.pages_per_unit, found.scanned_pages, options.scans_per_unit)
    return Prepared(
        source=found.path,
        sha256=digest,
        size=request.source.stat().st_size,
        kind=found.kind,
        media_type=found.media_type,
        title=found.title,
        duration_s=None if duration_s is None else round(duration_s, 3),
        page_count=found.page_count,
        warnings=warnings,
        speech=speech,
        slides=tuple(SlideRange.model_validate(span.model_dump()) for span in spans),
        pages=tuple(PageRange.model_validate(span.model_dump()) for span in pages),
    )


def _cut_speech(found: Inspection, request: PreparationRequest, limits: Limits) -> tuple[tuple[Piece, ...], AudioFacts]:
    folder = request.source.parent
    sound = extract_audio(found.path, folder / "sound.wav", found.audio_streams, limits)
    if sound.silent:  # a track of nothing but zeros: there is nothing to recognise
        return (), sound
    pieces = tuple(
        Piece(
            number=unit.number,
            start_s=unit.start_s,
            end_s=unit.end_s,
            path=write_unit(sound.path, unit, _piece_path(folder, unit.number)),
        )
        for unit in plan_cuts(sound.path, float(request.unit_s))
    )
    return pieces, sound


def _piece_path(folder: Path, number: int) -> Path:
    return folder / f"speech-{number}.wav"
