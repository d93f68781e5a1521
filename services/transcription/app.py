"""Composition root of the transcription service."""

from dataclasses import dataclass

from services.transcription.adapters.engines import PdfPageEngine, ProcessAssembler, VideoSlideEngine, WhisperEngine
from services.transcription.adapters.lanes import FixedLanes, LanePerConsumer
from services.transcription.domain.ports import Assembler, PageEngine, SlideEngine, SpeechEngine
from services.transcription.domain.units import TranscriptionUnits
from services.transcription.handlers import register
from services.transcription.settings import TranscriptionSettings
from services.transcription.speech.recognise import SpeechOptions
from shared.checkpoints import Checkpoints
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
    speech_options = SpeechOptions(model_folder=parts.settings.speech_model, cpu_threads=settings.speech_threads)
    speech = WhisperEngine(speech_options, TimeLimits.of(settings.speech_timeout_s, settings.speech_soft_timeout_s))
    slides = VideoSlideEngine(
        settings.slides_threads, TimeLimits.of(settings.slides_timeout_s, settings.slides_soft_timeout_s)
    )
    pages = PdfPageEngine(TimeLimits.of(settings.pages_timeout_s, settings.pages_soft_timeout_s))
    assembler = ProcessAssembler(TimeLimits.of(settings.join_timeout_s, settings.join_soft_timeout_s))
    for engine in (speech, slides, pages, assembler):
        parts.on_stop.callback(engine.close)
    return Engines(speech, slides, pages, assembler)


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
    register(parts.broker, units, parts.publish)
    subscribe_removal(parts, checkpoints, "transcription")


def main() -> None:
    """Run the service until it is told to stop."""
    shared, settings = load_service(TranscriptionSettings)

    async def build_real(parts: Parts) -> None:
        await build(open_engines(settings, parts), parts, settings.lanes, speech_model_name(shared.speech_model))

    run_worker("transcription", shared, settings.health_port, build_real)
