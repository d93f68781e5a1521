"""Speech, slides and the join behind their ports, each in a child process of its own."""

from pathlib import Path

from opentelemetry import trace

from services.transcription.domain.results import AssembledSource
from services.transcription.slides.values import SlideOptions, SlideUnit
from services.transcription.speech.recognise import SpeechOptions, SpeechUnit
from shared import telemetry
from shared.engine_process import EngineProcess
from shared.events import SlideRange, SourceIngested
from shared.speech_model import speech_model_name
from shared.time_limits import TimeLimits

BYTES_A_SECOND = 32_000  # of a piece of sound: 16 kHz, 16 bits, mono


def _seconds_of(audio: Path) -> float:
    return audio.stat().st_size / BYTES_A_SECOND


# Engines are imported in the functions below, which run in the children: the service itself stays small.


def load_whisper(options: SpeechOptions) -> None:
    """Load the speech model."""
    from services.transcription.speech.whisper import preload  # noqa: PLC0415 -- see above

    preload(options)


def transcribe(audio: Path, start_s: float, options: SpeechOptions) -> SpeechUnit:
    """Recognise one piece."""
    from services.transcription.speech.whisper import transcribe_unit  # noqa: PLC0415 -- see above

    return transcribe_unit(audio, start_s, options)


def scan(video: Path, span: SlideRange, output: Path, options: SlideOptions) -> SlideUnit:
    """Find the slides of one span."""
    from services.transcription.slides.scan import scan_range  # noqa: PLC0415 -- see above

    return scan_range(video, span.start_s, span.end_s, output, options)


def join(plan: SourceIngested, units: dict[str, bytes]) -> AssembledSource:
    """Join the units of a source."""
    from services.transcription.domain.assembly import assemble  # noqa: PLC0415 -- see above

    return assemble(plan, units)


def _tell_factor(call: trace.Span, took_s: float, source_s: float) -> None:
    """Tell how the time that a call took compares with the time that its sound or video lasts."""
    if source_s > 0:
        call.set_attribute("lectern.engine.real_time_factor", round(took_s / source_s, 4))


class WhisperEngine:
    """A SpeechEngine. Its process keeps the model loaded between units: make it with `load_whisper` as its preload."""

    def __init__(self, process: EngineProcess, options: SpeechOptions, limits: TimeLimits) -> None:
        self._process = process
        self._options = options
        self._limits = limits

    async def transcribe(self, audio: Path, start_s: float, language: str) -> SpeechUnit:
        """The words of `audio`."""
        options = self._options.model_copy(update={"language": language})
        audio_s = _seconds_of(audio)
        about: dict[str, str | float] = {
            "lectern.engine.model": speech_model_name(options.model_folder),
            "lectern.audio_s": round(audio_s, 1),
        }
        with telemetry.span("engine transcribe", {"lectern.engine.name": "whisper", **about}) as call:
            unit = await self._process.run(self._limits, transcribe, audio, start_s, options)
            call.set_attribute("lectern.words", len(unit.words))
            _tell_factor(call, self._process.took_s, audio_s)
        return unit


class VideoSlideEngine:
    """A SlideEngine: block differences over sampled frames, and OCR of each slide."""

    def __init__(self, process: EngineProcess, threads: int, limits: TimeLimits) -> None:
        self._process = process
        self._options = SlideOptions(threads=threads, timeout_s=limits.soft_s)
        self._limits = limits

    async def find(self, video: Path, span: SlideRange, output: Path) -> SlideUnit:
        """The slides shown in `span`."""
        video_s = span.end_s - span.start_s
        about: dict[str, str | float] = {"lectern.engine.name": "slides", "lectern.video_s": round(video_s, 1)}
        with telemetry.span("engine find slides", about) as call:
            unit = await self._process.run(self._limits, scan, video, span, output, self._options)
            call.set_attribute("lectern.slides", len(unit.slides))
            _tell_factor(call, self._process.took_s, video_s)
        return unit


class ProcessAssembler:
    """An Assembler in a child process."""

    def __init__(self, process: EngineProcess, limits: TimeLimits) -> None:
        self._process = process
        self._limits = limits

    async def assemble(self, plan: SourceIngested, units: dict[str, bytes]) -> AssembledSource:
        """The one document of a source."""
        with telemetry.span("engine join", {"lectern.engine.name": "join", "lectern.units": len(units)}):
            return await self._process.run(self._limits, join, plan, units)
