"""The use cases of transcription: one for each kind of unit, and the join of a finished source."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from pydantic import BaseModel

from services.transcription.domain.plan import UnitCommand, commands, unit_name
from services.transcription.domain.ports import Assembler, PageEngine, SlideEngine, SpeechEngine
from services.transcription.domain.results import AssembledSource, Stored
from shared.checkpoints import Checkpoints
from shared.errors import PipelineError
from shared.events import (
    Command,
    FindSlides,
    Message,
    ReadPages,
    SourceIngested,
    SourceTranscribed,
    TranscribeSpeech,
    UnitFinished,
)
from shared.scratch import Scratch
from shared.storage import ObjectStore

JSON, PNG = "application/json", "image/png"
PLAN, DOCUMENT = "plan", "document"
NO_PICTURES: Mapping[str, Path] = MappingProxyType({})


class TranscriptionUnits:
    """Computes units, keeps their results as objects, and joins them when all are there."""

    def __init__(
        self,
        store: ObjectStore,
        checkpoints: Checkpoints,
        scratch: Scratch,
        speech: SpeechEngine,
        slides: SlideEngine,
        pages: PageEngine,
        assembler: Assembler,
    ) -> None:
        self._store = store
        self._checkpoints = checkpoints
        self._scratch = scratch
        self._speech = speech
        self._slides = slides
        self._pages = pages
        self._assembler = assembler

    async def plan(self, event: SourceIngested) -> None:
        """Remember what is to be joined."""

        async def same() -> SourceIngested:
            return event

        await self._checkpoints.run(event, PLAN, same, SourceIngested)

    async def transcribe(self, command: TranscribeSpeech) -> UnitFinished:
        """Recognise the words of one piece."""

        async def compute() -> Stored:
            piece = command.piece
            with self._scratch.folder() as folder:
                async with self._store.as_file(piece.audio.key, folder) as audio:
                    unit = await self._speech.transcribe(audio, piece.start_s, command.parameters.language)
            return await self._keep(command, unit)

        return await self._do(command, compute)

    async def find_slides(self, command: FindSlides) -> UnitFinished:
        """Find the slides shown in one span of the video."""

        async def compute() -> Stored:
            with self._scratch.folder() as folder:
                async with self._store.as_file(command.video.key, folder) as video:
                    unit = await self._slides.find(video, command.range, folder)
                names = {slide.picture.name for slide in unit.slides}
                return await self._keep(command, unit, _files(folder, names))

        return await self._do(command, compute)

    async def read_pages(self, command: ReadPages) -> UnitFinished:
        """Read the blocks of one range of pages."""

        async def compute() -> Stored:
            with self._scratch.folder() as folder:
                async with self._store.as_file(command.document.key, folder) as document:
                    unit = await self._pages.read(document, command.range, folder)
                names = {piece.image.name for page in unit.pages for piece in page.pieces if piece.image}
                return await self._keep(command, unit, _files(folder, names))

        return await self._do(command, compute)

    async def _do(self, command: UnitCommand, compute: Callable[[], Awaitable[Stored]]) -> UnitFinished:
        name = unit_name(command)
        await self._checkpoints.run(command, name, compute, Stored)
        return UnitFinished(**command.job(), stage="transcription", unit=name, units=command.units)

    async def _keep(self, command: UnitCommand, unit: BaseModel, pictures: Mapping[str, Path] = NO_PICTURES) -> Stored:
        prefix = f"{_prefix(command)}/units/{unit_name(command)}"
        kept = {name: await self._store.put_file(f"{prefix}/{name}", path, PNG) for name, path in pictures.items()}
        result = await self._store.put_bytes(f"{prefix}/unit.json", unit.model_dump_json().encode(), JSON)
        return Stored(result=result, pictures=kept)

    async def join(self, message: Command | SourceIngested) -> SourceTranscribed | None:
        """The whole document if every unit is done, else None. Safe to repeat and to race with itself."""
        finished = await self._checkpoints.finished(message)
        plan = finished.get(PLAN, SourceIngested)
        if plan is None:
            raise PipelineError(f"unit of {message.job_id} without a plan")
        stored = finished.get_all([unit_name(command) for command in commands(plan)], Stored)
        if stored is None:
            return None
        compute = partial(self._assemble, plan, stored)
        return await self._checkpoints.run(message, DOCUMENT, compute, SourceTranscribed)

    async def _assemble(self, plan: SourceIngested, stored: dict[str, Stored]) -> SourceTranscribed:
        units = {name: await self._store.read(unit.result.key) for name, unit in stored.items()}
        source = await self._assembler.assemble(plan, units)
        prefix = _prefix(plan)
        await self._place_pictures(prefix, source, stored)
        document = await self._store.put_bytes(
            f"{prefix}/document.json", source.document.model_dump_json().encode(), JSON
        )
        transcript = None
        if source.transcript is not None:
            body = source.transcript.model_dump_json().encode()
            transcript = await self._store.put_bytes(f"{prefix}/transcript.json", body, JSON)
        return SourceTranscribed(**plan.job(), document=document, transcript=transcript)

    async def _place_pictures(self, prefix: str, source: AssembledSource, stored: dict[str, Stored]) -> None:
        for name, (unit, picture) in sorted(source.pictures.items()):
            data = await self._store.read(stored[unit].pictures[picture].key)
            await self._store.put_bytes(f"{prefix}/{name}", data, PNG)


def _prefix(message: Message) -> str:
    return f"transcription/{message.job_id}/{message.parameters.digest()}"


def _files(folder: Path, names: set[str]) -> dict[str, Path]:
    return {name: folder / name for name in sorted(names)}
