"""Composition root of the transcription service."""

from dataclasses import dataclass
from functools import partial

from services.transcription.adapters.engines import (
    ProcessAssembler,
    VideoSlideEngine,
    WhisperEngine,
    load_whisper,
)
from services.transcription.adapters.lanes import FixedLanes, LanePerConsumer
from services.transcription.adapters.page_engine import PageTimes, PdfPageEngine, load_pages
from services.transcription.domain.ports import Assembler, PageEngine, SlideEngine, SpeechEngine
from services.transcription.domain.units import TranscriptionUnits
from services.transcription.handlers import register
from services.transcription.settings import TranscriptionSettings
from services.transcription.speech.recognise import SpeechOptions
from shared.checkpoints import Checkpoints
from shared.engines import EngineProcesses
from shared.removal import subscribe_removal
from shared.service import Parts, run_worker
from shared.settings import load_service
from shared.speech_model import speech_model_name
from shared.time_limits import TimeLimits


@dataclass(frozen=True)
class Engines:
    """What does the work."""

    speech: SpeechEngine
    slides: SlideEngine
    pages: PageEngine
    assembler: Assembler


def open_engines(settings: TranscriptionSettings, parts: Parts) -> Engines:
    """The real engines; their processes start with the first unit and end with the service."""
    processes = EngineProcesses(parts.settings)
    parts.on_stop.callback(processes.close)
    options = SpeechOptions(model_folder=parts.settings.speech_model, cpu_threads=settings.speech_threads)
    return Engines(
        WhisperEngine(
            processes.process(settings.speech_memory_mb, partial(load_whisper, options)),
            options,
            TimeLimits.of(settings.speech_timeout_s, settings.speech_soft_timeout_s),
        ),
        VideoSlideEngine(
            processes.process(settings.slides_memory_mb),
            settings.slides_threads,
            TimeLimits.of(settings.slides_timeout_s, settings.slides_soft_timeout_s),
        ),
        PdfPageEngine(
            processes.process(settings.pages_memory_mb, load_pages),
            processes.process(settings.pages_memory_mb, load_pages),
            PageTimes(
                quick_s=settings.page_quick_s,
                page_s=settings.page_timeout_s,
                range_s=settings.pages_timeout_s,
                lost_s=settings.pages_lost_s,
            ),
        ),
        ProcessAssembler(
            processes.process(settings.join_memory_mb),
            TimeLimits.of(settings.join_timeout_s, settings.join_soft_timeout_s),
        ),
    )


async def build(engines: Engines, parts: Parts, lanes: int = 0, speech_model: str | None = None) -> None:
    """Wire the service.

    `lanes` is how many units of a kind each source has in hand at once; 0: one for a replica. `speech_model` is the
    name of the model in `engines.speech`; None: whatever jobs ask for.
    """
    checkpoints = Checkpoints(parts.database, parts.store, "transcription")
    units = TranscriptionUnits(
        parts.store,
        checkpoints,
        parts.scratch,
        FixedLanes(lanes) if lanes else LanePerConsumer(parts.broker),
        engines.speech,
        engines.slides,
        engines.pages,
        engines.assembler,
        speech_model=speech_model,
    )
    register(parts.broker, units, parts.publish, parts.settings.retry_delays_s)
    subscribe_removal(parts, checkpoints, "transcription")


def main() -> None:
    """Run the service until it is told to stop."""
    shared, settings = load_service(TranscriptionSettings)

    async def build_real(parts: Parts) -> None:
        await build(open_engines(settings, parts), parts, settings.lanes, speech_model_name(shared.speech_model))

    run_worker("transcription", shared, settings.health_port, build_real)
