"""A broker, replicas and checkpoints in memory; wherever a handler waits it can be overtaken or killed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from services.transcription.domain.plan import UnitCommand, unit_name, unit_names
from services.transcription.domain.results import AssembledSource
from services.transcription.domain.units import TranscriptionUnits
from services.transcription.handlers import Handlers
from services.transcription.pages.models import PageUnit
from services.transcription.slides.values import SlideUnit
from services.transcription.speech.recognise import SpeechUnit
from shared.checkpoints import Checkpoints, Finished
from shared.commands import Command, FindSlides, ReadPages, TranscribeSpeech
from shared.documents import Source, SourceDocument
from shared.events import (
    Event,
    Message,
    PageRange,
    SlideRange,
    SourceFacts,
    SourceIngested,
    SourceTranscribed,
    SpeechPiece,
)
from shared.scratch import Scratch
from shared.storage import ObjectRef, ObjectStore

REF = ObjectRef(key="ingest/x", sha256="0" * 64, size=1, media_type="video/mp4")
DOCUMENT = SourceDocument(
    kind="recording", source=Source(name="a.mp4", media_type="video/mp4", size=1, sha256="0" * 64), duration_s=1.0
)


def source(speech: int, slides: int = 0, pages: int = 0) -> SourceIngested:
    return SourceIngested(
        job_id="job-00001",
        facts=SourceFacts(kind="recording", name="a.mp4"),
        original=REF,
        source=REF,
        speech=tuple(SpeechPiece(number=n, start_s=n, end_s=n + 1, audio=REF) for n in range(1, speech + 1)),
        slides=tuple(SlideRange(number=n, start_s=n, end_s=n + 1) for n in range(1, slides + 1)),
        pages=tuple(PageRange(number=n, first=n, last=n) for n in range(1, pages + 1)),
    )


class Moments:
    """Every place where a handler waits: whoever is in charge says who goes on."""

    def __init__(self) -> None:
        self.waiting: list[asyncio.Future[None]] = []

    async def pause(self) -> None:
        moment = asyncio.get_running_loop().create_future()
        self.waiting.append(moment)
        try:
            await moment
        finally:
            self.waiting.remove(moment)


class MemoryCheckpoints(Checkpoints):
    """Checkpoints without a database."""

    def __init__(self, moments: Moments) -> None:
        self.results: dict[str, Any] = {}
        self._moments = moments

    async def run(
        self,
        message: Message,
        unit: str,
        compute: Callable[[], Awaitable[Any]],
        kind: type[Any],
        *,
        joins: Sequence[str] = (),
    ) -> Any:
        kept = (await self.finished(message)).get(unit, kind)
        if kept is None:
            kept = await compute()
            await self._moments.pause()
            self.results.setdefault(unit, kept.model_dump(mode="json"))
        return kept

    async def finished(self, message: Message) -> Finished:
        await self._moments.pause()
        return Finished(message, dict(self.results))


class Engine:
    """All engines, and a store and a scratch folder that keep nothing."""

    async def transcribe(self, audio: Path, start_s: float, language: str) -> SpeechUnit:
        return SpeechUnit(language=language, engine="none")

    async def find(self, video: Path, span: SlideRange, output: Path) -> SlideUnit:
        return SlideUnit(start_s=span.start_s, end_s=span.end_s)

    async def read(self, document: Path, pages: PageRange, output: Path, lost_s: float) -> PageUnit:
        return PageUnit(first=pages.first, last=pages.last, page_count=pages.last)

    async def assemble(self, plan: SourceIngested, units: dict[str, bytes]) -> AssembledSource:
        assert sorted(units) == sorted(unit_names(plan))
        return AssembledSource(DOCUMENT)


class Nowhere:
    @asynccontextmanager
    async def as_file(self, key: str, folder: Path) -> AsyncIterator[Path]:
        yield folder / key

    async def put_bytes(self, key: str, data: bytes, media_type: str) -> ObjectRef:
        return REF

    async def read(self, key: str) -> bytes:
        return b""

    @contextmanager
    def folder(self) -> Iterator[Path]:
        yield Path("nowhere")


class World:
    """A broker, replicas enough for everything that is delivered, and whoever kills them."""

    def __init__(self, lanes: int) -> None:
        self.moments = Moments()
        self.checkpoints = MemoryCheckpoints(self.moments)
        self.queue: list[SourceIngested | UnitCommand] = []
        self.at_work: dict[asyncio.Task[None], SourceIngested | UnitCommand] = {}
        self.published: list[Event | Command] = []
        self.asked: list[str] = []
        engine: Any = Engine()
        nowhere = Nowhere()

        async def lane_count(queue: str) -> int:
            self.asked.append(queue)
            return lanes

        units = TranscriptionUnits(
            cast("ObjectStore", nowhere),
            self.checkpoints,
            cast("Scratch", nowhere),
            lane_count,
            *(engine,) * 4,
        )
        self.handlers = Handlers(units, self.publish, (1.0,))

    async def publish(self, message: Event | Command, *, message_id: str) -> None:
        await self.moments.pause()
        self.published.append(message)
        if isinstance(message, Command):
            self.queue.append(cast("UnitCommand", message))

    async def deliver(self, index: int) -> None:
        message = self.queue.pop(index)
        self.at_work[asyncio.ensure_future(self._handled(message))] = message
        await self.settle()

    def _handled(self, message: SourceIngested | UnitCommand) -> Coroutine[Any, Any, None]:
        broker_s: Any = SimpleNamespace(headers={})
        match message:
            case SourceIngested():
                return self.handlers.on_source_ingested(message)
            case TranscribeSpeech():
                return self.handlers.on_transcribe_speech(message, broker_s)
            case FindSlides():
                return self.handlers.on_find_slides(message, broker_s)
            case ReadPages():
                return self.handlers.on_read_pages(message)

    async def go_on(self, index: int) -> None:
        self.moments.waiting[index].set_result(None)
        await self.settle()

    async def kill(self, index: int) -> None:
        task = list(self.at_work)[index]
        task.cancel()
        self.queue.append(self.at_work[task])
        await self.settle()

    async def settle(self) -> None:
        """Until everybody waits or has ended."""
        await asyncio.sleep(0)
        while len(self.moments.waiting) < sum(not task.done() for task in self.at_work) or any(
            moment.done() for moment in self.moments.waiting
        ):
            await asyncio.sleep(0)
        for task in [task for task in self.at_work if task.done()]:
            del self.at_work[task]
            if not task.cancelled():
                task.result()

    async def run_dry(self) -> None:
        """Deliver in order, one after the other, until nothing is left."""
        while self.queue or self.at_work:
            await (self.go_on(0) if self.moments.waiting else self.deliver(0))

    def units(self) -> list[str]:
        return [unit_name(message) for message in self.published if isinstance(message, Command)]

    def in_hand(self, kind: str) -> int:
        """Unfinished units of a kind that are in a queue or at work."""
        messages = [*self.queue, *self.at_work.values()]
        names = {unit_name(message) for message in messages if not isinstance(message, SourceIngested)}
        return sum(name.startswith(kind) and name not in self.checkpoints.results for name in names)

    def joins(self) -> list[SourceTranscribed]:
        return [message for message in self.published if isinstance(message, SourceTranscribed)]
