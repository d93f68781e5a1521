"""The use cases of transcription: the plan, one for each kind of unit, and what follows when a unit is finished."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

from pydantic import BaseModel

from services.transcription.domain.plan import (
    Plan,
    UnitCommand,
    commands,
    first_units,
    next_unit,
    unit_name,
    unit_names,
)
from services.transcription.domain.ports import Assembler, LaneCount, PageEngine, SlideEngine, SpeechEngine
from services.transcription.domain.results import AssembledSource, Stored
from shared.checkpoints import Checkpoints
from shared.errors import EngineError, PipelineError
from shared.events import (
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
        lanes: LaneCount,
        speech: SpeechEngine,
        slides: SlideEngine,
        pages: PageEngine,
        assembler: Assembler,
        *,
        speech_model: str | None = None,
    ) -> None:
        self._store = store
        self._checkpoints = checkpoints
        self._scratch = scratch
        self._lanes = lanes
        self._speech = speech
        self._slides = slides
        self._pages = pages
        self._assembler = assembler
        self._speech_model = speech_model

    async def plan(self, event: SourceIngested) -> None:
        """Remember what is to be joined, and in how many lanes its units go."""

        async def new() -> Plan:
            lanes = {kind: await self._lanes(units[0].queue) for kind, units in commands(event, event).items()}
            return Plan(source=event, lanes=lanes)

        await self._checkpoints.run(event, PLAN, new, Plan)

    async def transcribe(self, command: TranscribeSpeech) -> UnitFinished:
        """Recognise the words of one piece."""

        async def compute() -> Stored:
            self._check_speech_model(command.parameters.engines.speech)
            piece = command.piece
            with self._scratch.folder() as folder:
                async with self._store.as_file(piece.audio.key, folder) as audio:
                    unit = await self._speech.transcribe(audio, piece.start_s, command.parameters.language)
            return await self._keep(command, unit)

        return await self._do(command, compute)

    def _check_speech_model(self, wanted: str | None) -> None:
        """A job is recognised by one model from its first unit to its last, whatever is installed meanwhile."""
        if wanted is not None and self._speech_model not in (None, wanted):
            raise EngineError(
                f"the job began with the speech model {wanted}; this worker has {self._speech_model}",
                public_message=f"This job began with the speech model {wanted}, which is not in use here any more. "
                "Submit the source again.",
            )

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

    async def follow_up(
        self, message: UnitCommand | SourceIngested
    ) -> Sequence[UnitCommand] | Sequence[SourceTranscribed]:
        """What comes after `message`: units to do, or the whole document when all are done, or nothing yet.

        Safe to repeat and to race with itself: everything follows from the plan and from what is finished now.
        """
        finished = await self._checkpoints.finished(message)
        plan = finished.get(PLAN, Plan)
        if plan is None:
            raise PipelineError(f"unit of {message.job_id} without a plan")
        stored = finished.get_all(unit_names(plan.source), Stored)
        if stored is not None:
            compute = partial(self._assemble, message, plan.source, stored)
            return [await self._checkpoints.run(message, DOCUMENT, compute, SourceTranscribed)]
        if isinstance(message, SourceIngested):
            return first_units(plan, message, finished)
        following = next_unit(plan, message, finished)
        return [] if following is None else [following]

    async def _assemble(self, job: Message, plan: SourceIngested, stored: dict[str, Stored]) -> SourceTranscribed:
        units = {name: await self._store.read(unit.result.key) for name, unit in stored.items()}
        source = await self._assembler.assemble(plan, units)
        prefix = _prefix(job)
        await self._place_pictures(prefix, source, stored)
        document = await self._store.put_bytes(
            f"{prefix}/document.json", source.document.model_dump_json().encode(), JSON
        )
        transcript = None
        if source.transcript is not None:
            body = source.transcript.model_dump_json().encode()
            transcript = await self._store.put_bytes(f"{prefix}/transcript.json", body, JSON)
        return SourceTranscribed(**job.job(), document=document, transcript=transcript)

    async def _place_pictures(self, prefix: str, source: AssembledSource, stored: dict[str, Stored]) -> None:
        for name, (unit, picture) in sorted(source.pictures.items()):
            data = await self._store.read(stored[unit].pictures[picture].key)
            await self._store.put_bytes(f"{prefix}/{name}", data, PNG)


def _prefix(message: Message) -> str:
    return f"transcription/{message.job_id}/{message.parameters.digest()}"


def _files(folder: Path, names: set[str]) -> dict[str, Path]:
    return {name: folder / name for name in sorted(names)}
