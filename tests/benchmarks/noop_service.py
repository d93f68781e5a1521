"""A worker service as it is, but for its engines, which do nothing: `python -m tests.benchmarks.noop_service NAME`.

What is left is what a job costs whatever is done to it: messages, checkpoints, objects, the read model.
"""

import hashlib
import sys
from pathlib import Path

from services.analysis import app as analysis
from services.analysis.settings import AnalysisSettings
from services.ingest import app as ingest
from services.ingest.domain.ingest_source import Piece, PreparationRequest, Prepared
from services.ingest.settings import IngestSettings
from services.rendering import app as rendering
from services.rendering.domain.render_handout import RenderedFile, RenderRequest
from services.rendering.settings import RenderingSettings
from services.transcription import app as transcription
from services.transcription.domain.results import AssembledSource
from services.transcription.pages.models import PageUnit
from services.transcription.settings import TranscriptionSettings
from services.transcription.slides.values import SlideUnit
from services.transcription.speech.recognise import SpeechUnit
from shared.documents import Engine, Source, SourceDocument, StudyGuide
from shared.events import PageRange, SlideRange, SourceIngested
from shared.service import Build, Parts, run_worker
from shared.settings import load_service

NOTHING = "nothing"
DIGEST = "0" * 64
WorkerSettings = IngestSettings | TranscriptionSettings | AnalysisSettings | RenderingSettings


class NoPreparation:
    """A PreparationEngine: every source is a recording with one piece of sound."""

    async def prepare(self, request: PreparationRequest) -> Prepared:
        """One piece."""
        path = request.source.parent / "piece.wav"
        path.write_bytes(b"RIFF")
        content = request.source.read_bytes()
        return Prepared(
            source=request.source,
            sha256=hashlib.sha256(content).hexdigest(),  # the gateway announces it, and it is compared
            size=len(content),
            kind="recording",
            media_type="audio/wav",
            duration_s=60.0,
            speech=(Piece(number=1, start_s=0.0, end_s=60.0, path=path),),
        )


class NoSpeech:
    """A SpeechEngine that hears nothing."""

    async def transcribe(self, audio: Path, start_s: float, language: str) -> SpeechUnit:
        """No words."""
        return SpeechUnit(language=language, engine=NOTHING)


class NoSlides:
    """A SlideEngine that is never asked."""

    async def find(self, video: Path, span: SlideRange, output: Path) -> SlideUnit:
        """Not reached: the sources have no picture."""
        raise NotImplementedError


class NoPages:
    """A PageEngine that is never asked."""

    async def read(self, document: Path, pages: PageRange, output: Path, lost_s: float) -> PageUnit:
        """Not reached: the sources have no pages."""
        raise NotImplementedError


class NoAssembler:
    """An Assembler of empty documents."""

    async def assemble(self, plan: SourceIngested, units: dict[str, bytes]) -> AssembledSource:
        """A document without blocks."""
        source = Source(name=plan.facts.name, media_type="audio/wav", size=4, sha256=DIGEST)
        return AssembledSource(SourceDocument(kind="recording", source=source, duration_s=60.0))


class NoGuide:
    """A GuideEngine of empty guides."""

    async def make(self, document: Path) -> StudyGuide:
        """A title."""
        return StudyGuide(title=NOTHING, engine=Engine(name=NOTHING, offline=True))


class NoRendering:
    """A RenderEngine of one small file, which is the PDF."""

    async def render(self, request: RenderRequest) -> list[RenderedFile]:
        """One file, or none."""
        if request.product != "pdf":
            return []
        request.output.mkdir()
        path = request.output / "handout.pdf"
        path.write_bytes(b"%PDF")
        return [RenderedFile(name=path.name, media_type="application/pdf", path=path)]


async def build_ingest(parts: Parts) -> None:
    """Ingest without ffmpeg."""
    await ingest.build(NoPreparation(), IngestSettings(max_size_bytes=1 << 30), parts)


async def build_transcription(parts: Parts) -> None:
    """Transcription without Whisper."""
    await transcription.build(transcription.Engines(NoSpeech(), NoSlides(), NoPages(), NoAssembler()), parts)


async def build_analysis(parts: Parts) -> None:
    """Analysis without language."""
    await analysis.build(NoGuide(), parts)


async def build_rendering(parts: Parts) -> None:
    """Rendering without a typesetter."""
    await rendering.build(NoRendering(), parts)


SERVICES: dict[str, tuple[type[WorkerSettings], Build]] = {
    "ingest": (IngestSettings, build_ingest),
    "transcription": (TranscriptionSettings, build_transcription),
    "analysis": (AnalysisSettings, build_analysis),
    "rendering": (RenderingSettings, build_rendering),
}


def main(name: str) -> None:
    """Run the service until it is told to stop."""
    kind, build = SERVICES[name]
    shared, settings = load_service(kind)
    run_worker(name, shared, settings.health_port, build)


if __name__ == "__main__":
    main(sys.argv[1])
