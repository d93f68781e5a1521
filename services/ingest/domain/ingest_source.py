"""The use case of ingest: a submitted source is checked, measured and cut into units."""

import asyncio
import os
import shutil
from pathlib import Path
from typing import Annotated, Literal, Protocol

from pydantic import Field

from services.ingest.domain.errors import INBOX, SourceKeyError, SourceMissingError
from shared.checkpoints import Checkpoints
from shared.documents import Value
from shared.errors import InvalidMessageError, InvalidSourceError, ObjectNotFoundError, SourceTooLargeError
from shared.events import JobSubmitted, PageRange, SlideRange, SourceFacts, SourceIngested, SpeechPiece
from shared.names import sanitise_name
from shared.scratch import Scratch
from shared.storage import ObjectRef, ObjectStore, put_together
from shared.storage.port import checked_key

SOURCE = "source"


class PreparationRequest(Value):
    """What to prepare: the file at `source`, called `name` by its owner; pieces are written beside it."""

    source: Path
    name: str
    unit_s: int


class Piece(Value):
    """A piece of sound in a file."""

    number: Annotated[int, Field(ge=1)]
    start_s: float
    end_s: float
    path: Path


class Prepared(Value):
    """What the source is and the units it was cut into. `source` differs from the request's where it was repaired."""

    source: Path
    sha256: str
    size: int
    kind: Literal["recording", "document"]
    media_type: str
    title: str | None = None
    duration_s: float | None = None
    page_count: int | None = None
    warnings: tuple[str, ...] = ()
    speech: tuple[Piece, ...] = ()
    slides: tuple[SlideRange, ...] = ()
    pages: tuple[PageRange, ...] = ()


class PreparationEngine(Protocol):
    """Probes and cuts outside the service's own thread of control."""

    async def prepare(self, request: PreparationRequest) -> Prepared:
        """Raises InvalidSourceError or SourceTooLargeError for what cannot be used, EngineError for faults."""
        ...


class LanguageFault(Protocol):
    """Says why no engine has a language, as a sentence for the owner; None where one has it."""

    def __call__(self, language: str, *, speech: bool) -> str | None:
        """`speech`: whether the source holds any."""
        ...


class IngestSource:
    """Takes a source in once. `language_fault` says why no engine has a language for what the source holds."""

    def __init__(
        self,
        store: ObjectStore,
        checkpoints: Checkpoints,
        scratch: Scratch,
        engine: PreparationEngine,
        max_size_bytes: int,
        language_fault: LanguageFault,
    ) -> None:
        self._store = store
        self._checkpoints = checkpoints
        self._scratch = scratch
        self._engine = engine
        self._max_size_bytes = max_size_bytes
        self._language_fault = language_fault

    async def __call__(self, event: JobSubmitted) -> SourceIngested:
        """The event that lists the units. Does the work unless it is done already."""

        async def compute() -> SourceIngested:
            with self._scratch.folder() as folder:
                return await self._take_in(event, folder)

        return await self._checkpoints.run(event, SOURCE, compute, SourceIngested)

    async def _take_in(self, event: JobSubmitted, folder: Path) -> SourceIngested:
        key = _allowed_key(event)
        try:
            await self._check_size(key)
        except ObjectNotFoundError as error:
            if key.startswith(INBOX):  # an upload that is gone is our own fault
                raise SourceMissingError(key) from error
            raise
        async with self._store.as_file(key, folder) as path:
            source = folder / "source"
            await asyncio.to_thread(_link_or_copy, path, source)
        name = sanitise_name(event.source.name)
        prepared = await self._engine.prepare(
            PreparationRequest(source=source, name=name, unit_s=event.parameters.unit_s)
        )
        _check_integrity(event, prepared)
        if fault := self._language_fault(event.parameters.language, speech=bool(prepared.speech)):
            raise InvalidSourceError(fault)
        return await self._keep(event, prepared, key, source, name)

    async def _check_size(self, key: str) -> None:
        size = (await self._store.stat(key)).size
        if size > self._max_size_bytes:
            raise SourceTooLargeError(
                f"This file has {size} bytes; the limit is {self._max_size_bytes}. Upload a smaller or shorter one."
            )

    async def _keep(self, event: JobSubmitted, prepared: Prepared, key: str, source: Path, name: str) -> SourceIngested:
        prefix = f"ingest/{event.job_id}/{event.parameters.digest()}"
        original = ObjectRef(key=key, sha256=prepared.sha256, size=prepared.size, media_type=prepared.media_type)
        if key.startswith(INBOX):  # somebody else's folder: they may change or remove what lies there
            original = await self._store.put_file(f"{prefix}/original", source, prepared.media_type)
        usable = original
        if prepared.source != source:
            usable = await self._store.put_file(f"{prefix}/repaired", prepared.source, prepared.media_type)
        with put_together("ingest"):
            speech = tuple([await self._keep_piece(prefix, piece) for piece in prepared.speech])
        return SourceIngested(
            **event.job(),
            facts=SourceFacts(
                kind=prepared.kind,
                name=name,
                title=prepared.title,
                duration_s=prepared.duration_s,
                page_count=prepared.page_count,
                warnings=prepared.warnings,
            ),
            original=original,
            source=usable,
            speech=speech,
            slides=prepared.slides,
            pages=prepared.pages,
        )

    async def _keep_piece(self, prefix: str, piece: Piece) -> SpeechPiece:
        key = f"{prefix}/speech-{piece.number}{piece.path.suffix}"
        audio = await self._store.put_file(key, piece.path, "audio/wav")
        return SpeechPiece(number=piece.number, start_s=piece.start_s, end_s=piece.end_s, audio=audio)


def _allowed_key(event: JobSubmitted) -> str:
    key = event.source.key
    try:
        checked_key(key)
    except InvalidMessageError as error:
        raise SourceKeyError(str(error)) from error
    if not key.startswith((INBOX, f"gateway/uploads/{event.job_id}/")):
        raise SourceKeyError(f"source key {key[:100]!r} is neither in {INBOX} nor an upload of this job")
    return key


def _check_integrity(event: JobSubmitted, prepared: Prepared) -> None:
    said = event.source
    if said.sha256 not in (None, prepared.sha256) or said.size not in (None, prepared.size):
        raise InvalidSourceError(
            "The file that arrived is not the one that was announced. Send it again.",
            internal=f"sha256 {prepared.sha256}, {prepared.size} bytes; announced {said.sha256}, {said.size}",
        )


def _link_or_copy(path: Path, target: Path) -> None:
    """Give the source a name of our own: what is written beside it must not land in the store."""
    try:
        os.link(path, target)
    except OSError:  # another file system
        shutil.copyfile(path, target)
