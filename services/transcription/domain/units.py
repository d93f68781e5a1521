"""The use cases of transcription: the plan, one for each kind of unit, and what follows when a unit is finished."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

import structlog
from pydantic import BaseModel

from services.transcription.domain.failures import (
    GivesUp,
    IncompleteUnitError,
    Results,
    incomplete,
    nothing_read,
    slides_sentence,
    speech_sentence,
)
from services.transcription.domain.notices import untrue_notices
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
from services.transcription.slides.values import SlideUnit
from services.transcription.speech.recognise import SpeechUnit
from shared.checkpoints import Checkpoints
from shared.commands import FindSlides, ReadPages, TranscribeSpeech
from shared.documents import SourceDocument
from shared.errors import EngineError, EngineLimitError, InvalidSourceError, PipelineError
from shared.events import Message, SourceIngested, SourceTranscribed, UnitFinished
from shared.scratch import Scratch
from shared.storage import ObjectStore, one_span, put_together
from shared.telemetry import note_work

JSON, PNG = "application/json", "image/png"
NO_ENGINE = "none"
PLAN, DOCUMENT = "plan", "document"
NO_PICTURES: Mapping[str, Path] = MappingProxyType({})


log = structlog.get_logger()


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

    async def transcribe(self, command: TranscribeSpeech, gives_up: GivesUp) -> UnitFinished:
        """Recognise the words of one piece; what meets a limit to the last attempt is missing."""

        async def compute() -> Stored:
            self._check_speech_model(command.parameters.engines.speech)
            piece = command.piece
            with self._scratch.folder() as folder:
                async with self._store.as_file(piece.audio.key, folder) as audio:
                    try:
                        unit = await self._speech.transcribe(audio, piece.start_s, command.parameters.language)
                    except EngineLimitError as error:
                        if not gives_up(error):
                            raise
                        nothing = SpeechUnit(language=command.parameters.language, engine=NO_ENGINE)
                        return await self._keep(command, nothing, missing=(speech_sentence(piece, error),))
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

    async def find_slides(self, command: FindSlides, gives_up: GivesUp) -> UnitFinished:
        """Find the slides shown in one span of the video; where that fails to the last attempt, they are missing."""

        async def compute() -> Stored:
            with self._scratch.folder() as folder:
                async with self._store.as_file(command.video.key, folder) as video:
                    try:
                        unit = await self._slides.find(video, command.range, folder)
                    except (EngineError, InvalidSourceError) as error:
                        if not gives_up(error):
                            raise
                        nothing = SlideUnit(start_s=command.range.start_s, end_s=command.range.end_s)
                        return await self._keep(command, nothing, missing=(slides_sentence(command.range, error),))
                names = {slide.picture.name for slide in unit.slides}
                return await self._keep(command, unit, _files(folder, names))

        return await self._do(command, compute)

    async def read_pages(self, command: ReadPages) -> UnitFinished:
        """Read the blocks of one range of pages."""

        async def compute() -> Stored:
            with self._scratch.folder() as folder:
                lost_s = await self._lost_s(command)
                async with self._store.as_file(command.document.key, folder) as document:
                    unit = await self._pages.read(document, command.range, folder, lost_s)
                names = {piece.image.name for page in unit.pages for piece in page.pieces if piece.image}
                kept = await self._keep(command, unit, _files(folder, names), missing=unit.missing)
                return kept.model_copy(update={"lost_s": unit.lost_s})

        return await self._do(command, compute)

    async def _lost_s(self, command: ReadPages) -> float:
        """What the pages of this document that were given up in this run have cost, in seconds."""
        finished = await self._checkpoints.finished(command)
        plan = finished.get(PLAN, Plan)
        return Results(finished, command.run).lost_s(unit_names(plan.source)) if plan else 0.0

    async def _do(self, command: UnitCommand, compute: Callable[[], Awaitable[Stored]]) -> UnitFinished:
        name = unit_name(command)
        note_work(unit=name)

        async def whole() -> Stored:
            """The whole result. Raises IncompleteUnitError when something of it is missing."""
            finished = await self._checkpoints.finished(command)
            stored = finished.get(incomplete(name, command.run), Stored) or await compute()
            if stored.missing:
                raise IncompleteUnitError(stored)
            return stored

        try:
            await self._checkpoints.run(command, name, whole, Stored)
        except IncompleteUnitError as error:
            log.warning("unit is incomplete", unit=name, missing=error.stored.missing)
            kept = partial(_ready, error.stored)
            await self._checkpoints.run(command, incomplete(name, command.run), kept, Stored)
        return UnitFinished(**command.job(), stage="transcription", unit=name, units=command.units)

    async def _keep(
        self,
        command: UnitCommand,
        unit: BaseModel,
        pictures: Mapping[str, Path] = NO_PICTURES,
        *,
        missing: tuple[str, ...] = (),
    ) -> Stored:
        name = unit_name(command)
        prefix = f"{_prefix(command)}/units/{incomplete(name, command.run) if missing else name}"
        with put_together("transcription"):
            kept = {name: await self._store.put_file(f"{prefix}/{name}", path, PNG) for name, path in pictures.items()}
            result = await self._store.put_bytes(f"{prefix}/unit.json", unit.model_dump_json().encode(), JSON)
        return Stored(result=result, pictures=kept, missing=missing)

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
        results = Results(finished, message.run)
        stored = results.get_all(unit_names(plan.source))
        if stored is not None:
            compute = partial(self._assemble, message, plan.source, stored)
            whole = not any(unit.missing for unit in stored.values())
            name = DOCUMENT if whole else incomplete(DOCUMENT, message.run)
            units = unit_names(plan.source)
            joined = [*units, *(incomplete(unit, message.run) for unit in units)]  # each was kept under one of the two
            return [await self._checkpoints.run(message, name, compute, SourceTranscribed, joins=joined)]
        if isinstance(message, SourceIngested):
            return first_units(plan, message, results)
        following = next_unit(plan, message, results)
        return [] if following is None else [following]

    async def _assemble(self, job: Message, plan: SourceIngested, stored: dict[str, Stored]) -> SourceTranscribed:
        with one_span("get transcription"):
            units = {name: await self._store.read(unit.result.key) for name, unit in stored.items()}
        source = await self._assembler.assemble(plan, units)
        missing = tuple(dict.fromkeys(sentence for name in unit_names(plan) for sentence in stored[name].missing))
        if missing and not source.document.blocks:
            raise nothing_read(missing)
        prefix = f"{_prefix(job)}-of-run-{job.run}" if missing else _prefix(job)
        with put_together("transcription"):
            return await self._keep_document(job, prefix, source, stored, missing)

    async def _keep_document(
        self, job: Message, prefix: str, source: AssembledSource, stored: dict[str, Stored], missing: tuple[str, ...]
    ) -> SourceTranscribed:
        await self._place_pictures(prefix, source, stored)
        body = _told(source.document, stored, missing).model_dump_json().encode()
        document = await self._store.put_bytes(f"{prefix}/document.json", body, JSON)
        transcript = None
        if source.transcript is not None:
            body = source.transcript.model_dump_json().encode()
            transcript = await self._store.put_bytes(f"{prefix}/transcript.json", body, JSON)
        return SourceTranscribed(**job.job(), document=document, transcript=transcript, missing=missing)

    async def _place_pictures(self, prefix: str, source: AssembledSource, stored: dict[str, Stored]) -> None:
        for name, (unit, picture) in sorted(source.pictures.items()):
            data = await self._store.read(stored[unit].pictures[picture].key)
            await self._store.put_bytes(f"{prefix}/{name}", data, PNG)


async def _ready(stored: Stored) -> Stored:
    return stored


def _told(document: SourceDocument, stored: Mapping[str, Stored], missing: tuple[str, ...]) -> SourceDocument:
    """The document with what is missing among its warnings. What was not read is not called absent."""
    if not missing:
        return document
    untrue = untrue_notices(name for name, unit in stored.items() if unit.missing)
    kept = [warning for warning in document.warnings if warning not in untrue]
    return document.model_copy(update={"warnings": tuple(dict.fromkeys([*kept, *missing]))})


def _prefix(message: Message) -> str:
    return f"transcription/{message.job_id}/{message.parameters.digest()}"


def _files(folder: Path, names: set[str]) -> dict[str, Path]:
    return {name: folder / name for name in sorted(names)}
