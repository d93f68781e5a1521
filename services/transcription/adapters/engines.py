"""The three engines behind their ports, each in a child process of its own."""

import time
from pathlib import Path

import structlog

from services.transcription.domain.failures import page_sentence
from services.transcription.domain.results import AssembledSource
from services.transcription.pages.models import PageOptions, PageUnit
from services.transcription.slides.values import SlideOptions, SlideUnit
from services.transcription.speech.recognise import SpeechOptions, SpeechUnit
from shared import telemetry
from shared.engine_process import EngineProcess
from shared.errors import EngineError, EngineTimeoutError
from shared.events import PageRange, SlideRange, SourceIngested
from shared.speech_model import speech_model_name
from shared.time_limits import TimeLimits

log = structlog.get_logger()

BYTES_A_SECOND = 32_000  # of a piece of sound: 16 kHz, 16 bits, mono

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
        audio_s = audio.stat().st_size / BYTES_A_SECOND  # noqa: ASYNC240 -- one system call
        about: dict[str, str | float] = {
            "lectern.engine.model": speech_model_name(options.model_folder),
            "lectern.audio_s": round(audio_s, 1),
        }
        with telemetry.span("engine transcribe", {"lectern.engine.name": "whisper", **about}) as call:
            began_s = time.monotonic()
            unit = await self._process.run(self._limits, transcribe, audio, start_s, options)
            if audio_s:
                call.set_attribute("lectern.engine.real_time_factor", (time.monotonic() - began_s) / audio_s)
        return unit


class VideoSlideEngine:
    """A SlideEngine: block differences over sampled frames, and OCR of each slide."""

    def __init__(self, process: EngineProcess, threads: int, limits: TimeLimits) -> None:
        self._process = process
        self._options = SlideOptions(threads=threads, timeout_s=limits.soft_s)
        self._limits = limits

    async def find(self, video: Path, span: SlideRange, output: Path) -> SlideUnit:
        """The slides shown in `span`."""
        about: dict[str, str | float] = {
            "lectern.engine.name": "slides",
            "lectern.video_s": round(span.end_s - span.start_s, 1),
        }
        with telemetry.span("engine find slides", about):
            return await self._process.run(self._limits, scan, video, span, output, self._options)


class PdfPageEngine:
    """A PageEngine: pdfium for text layers, tesseract for pages without one.

    Each page is a call of its own, so that a page that meets a limit takes no other along. It is tried a second time,
    unless another page of the range was given up before it.
    """

    def __init__(self, process: EngineProcess, page_limits: TimeLimits, range_s: float) -> None:
        self._process = process
        self._page_limits = page_limits
        self._range_s = range_s

    async def read(self, document: Path, pages: PageRange, output: Path) -> PageUnit:
        """The blocks of `pages`; what was given up is `missing`. Raises InvalidSourceError."""
        about: dict[str, str | float] = {"lectern.engine.name": "pages", "lectern.pages": pages.last - pages.first + 1}
        with telemetry.span("engine read pages", about) as call:
            unit = await self._read_each(document, pages, output)
            call.set_attribute("lectern.missing", len(unit.missing))
        return unit

    async def _read_each(self, document: Path, pages: PageRange, output: Path) -> PageUnit:
        deadline = time.monotonic() + self._range_s
        units: list[PageUnit] = []
        missing: list[str] = []
        for number in range(pages.first, pages.last + 1):
            span = PageRange(number=pages.number, first=number, last=number)
            try:
                if time.monotonic() > deadline:
                    raise EngineTimeoutError(f"no time is left for page {number}")
                units.append(await self._read(document, span, output, tries=1 if missing else 2))
            except EngineError as error:
                log.warning("page given up", page=number, exc_info=error)
                missing.append(page_sentence(number, error))
        return merged(pages, units, tuple(missing))

    async def _read(self, document: Path, page: PageRange, output: Path, *, tries: int) -> PageUnit:
        try:
            return await self._process.run(self._page_limits, read, document, page, output, PageOptions())
        except EngineError:
            if tries == 1:
                raise
        return await self._read(document, page, output, tries=tries - 1)


def merged(pages: PageRange, units: list[PageUnit], missing: tuple[str, ...]) -> PageUnit:
    """The units of single pages as that of their range."""
    return PageUnit(
        first=pages.first,
        last=pages.last,
        page_count=units[0].page_count if units else pages.last,
        title=units[0].title if units else None,
        pages=tuple(page for unit in units for page in unit.pages),
        outline=tuple(entry for unit in units for entry in unit.outline),
        missing=missing,
    )


class ProcessAssembler:
    """An Assembler in a child process."""

    def __init__(self, process: EngineProcess, limits: TimeLimits) -> None:
        self._process = process
        self._limits = limits

    async def assemble(self, plan: SourceIngested, units: dict[str, bytes]) -> AssembledSource:
        """The one document of a source."""
        with telemetry.span("engine join", {"lectern.engine.name": "join", "lectern.units": len(units)}):
            return await self._process.run(self._limits, join, plan, units)
