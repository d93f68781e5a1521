"""What units of work need. Engines run outside the service's own process or thread of control."""

from pathlib import Path
from typing import Protocol

from services.transcription.domain.results import AssembledSource
from services.transcription.pages.models import PageUnit
from services.transcription.slides.values import SlideUnit
from services.transcription.speech.recognise import SpeechUnit
from shared.events import PageRange, SlideRange, SourceIngested


class LaneCount(Protocol):
    """How many units of one source may be in a queue or at work at once."""

    async def __call__(self, queue: str) -> int:
        """The number of lanes for units that go to `queue`, at least 1. Raises BrokerError."""
        ...


class SpeechEngine(Protocol):
    """Recognises speech."""

    async def transcribe(self, audio: Path, start_s: float, language: str) -> SpeechUnit:
        """The words of `audio`, which starts `start_s` seconds into the recording. Raises EngineError."""
        ...


class SlideEngine(Protocol):
    """Finds slides in video."""

    async def find(self, video: Path, span: SlideRange, output: Path) -> SlideUnit:
        """The slides shown in `span`; their pictures are written into `output`. Raises EngineError."""
        ...


class PageEngine(Protocol):
    """Reads pages."""

    async def read(self, document: Path, pages: PageRange, output: Path, lost_s: float) -> PageUnit:
        """The blocks of `pages`; pictures of figures are written into `output`. Raises EngineError.

        `lost_s` are the seconds that went in vain into other pages of the document.
        """
        ...


class Assembler(Protocol):
    """Joins units. Not an engine, but heavy on long sources, so it runs where engines run."""

    async def assemble(self, plan: SourceIngested, units: dict[str, bytes]) -> AssembledSource:
        """The one document of a source from the JSON of its units, by their names."""
        ...
