"""The three engines behind their ports, each in a child process of its own."""

from pathlib import Path

from services.transcription.domain.results import AssembledSource
from services.transcription.pages.models import PageOptions, PageUnit
from services.transcription.slides.values import SlideOptions, SlideUnit
from services.transcription.speech.recognise import SpeechOptions, SpeechUnit
from shared.engine_process import EngineProcess
from shared.events import PageRange, SlideRange, SourceIngested
from shared.time_limits import TimeLimits

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


def read(document: Path, pages: PageRange, output: Path, options: PageOptions) -> PageUnit:
    """Read one range of pages."""
    from services.transcription.pages.read import read_pages  # noqa: PLC0415 -- see above

    return read_pages(document, pages.first, pages.last, output, options)


def join(plan: SourceIngested, units: dict[str, bytes]) -> AssembledSource:
    """Join the units of a source."""
    from services.transcription.domain.assembly import assemble  # noqa: PLC0415 -- see above

    return assemble(plan, units)


class WhisperEngine:
    """A SpeechEngine. Its process keeps the model loaded between units: make it with `load_whisper` as its preload."""

    def __init__(self, process: EngineProcess, options: SpeechOptions, limits: TimeLimits) -> None:
        self._process = process
        self._options = options
        self._limits = limits

    async def transcribe(self, audio: Path, start_s: float, language: str) -> SpeechUnit:
        """The words of `audio`."""
        options = self._options.model_copy(update={"language": language})
        return await self._process.run(self._limits, transcribe, audio, start_s, options)


class VideoSlideEngine:
    """A SlideEngine: block differences over sampled frames, and OCR of each slide."""

    def __init__(self, process: EngineProcess, threads: int, limits: TimeLimits) -> None:
        self._process = process
        self._options = SlideOptions(threads=threads, timeout_s=limits.soft_s)
        self._limits = limits

    async def find(self, video: Path, span: SlideRange, output: Path) -> SlideUnit:
        """The slides shown in `span`."""
        return await self._process.run(self._limits, scan, video, span, output, self._options)


class PdfPageEngine:
    """A PageEngine: pdfium for text layers, tesseract for pages without one."""

    def __init__(self, process: EngineProcess, limits: TimeLimits) -> None:
        self._process = process
        self._limits = limits

    async def read(self, document: Path, pages: PageRange, output: Path) -> PageUnit:
        """The blocks of `pages`."""
        return await self._process.run(self._limits, read, document, pages, output, PageOptions())


class ProcessAssembler:
    """An Assembler in a child process."""

    def __init__(self, process: EngineProcess, limits: TimeLimits) -> None:
        self._process = process
        self._limits = limits

    async def assemble(self, plan: SourceIngested, units: dict[str, bytes]) -> AssembledSource:
        """The one document of a source."""
        return await self._process.run(self._limits, join, plan, units)
