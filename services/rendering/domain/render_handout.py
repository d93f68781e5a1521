"""The use case of rendering: the files of a handout from a document and its study guide."""

import asyncio
from pathlib import Path
from typing import Literal, Protocol

from shared.checkpoints import Checkpoints
from shared.documents import Block, FigureBlock, SlideBlock, SourceDocument, StudyGuide, Value
from shared.errors import ObjectNotFoundError
from shared.events import Artifact, HandoutRendered, SourceAnalysed
from shared.scratch import Scratch
from shared.storage import ObjectStore

HANDOUT = "handout"
# Pictures are fetched and files stored a few at a time: enough to hide a store's latency, few enough for its pool.
TRANSFERS = 8


class RenderRequest(Value):
    """What an engine renders: JSON files and pictures in `folder`, laid out as `RenderHandout` puts them there."""

    folder: Path
    output: Path
    paper: Literal["a4", "us-letter"]
    created_on: str


class RenderedFile(Value):
    """A finished file in the request's output folder."""

    name: str
    media_type: str
    path: Path


class RenderEngine(Protocol):
    """A renderer outside the service's own thread of control."""

    async def render(self, request: RenderRequest) -> list[RenderedFile]:
        """Make every artefact. Raises EngineError."""
        ...


class RenderHandout:
    """Renders once and keeps the files as objects."""

    def __init__(self, store: ObjectStore, checkpoints: Checkpoints, scratch: Scratch, engine: RenderEngine) -> None:
        self._store = store
        self._checkpoints = checkpoints
        self._scratch = scratch
        self._engine = engine

    async def __call__(self, event: SourceAnalysed) -> HandoutRendered:
        """The event that lists the files. Renders them unless they are there already."""

        async def compute() -> HandoutRendered:
            with self._scratch.folder() as folder:
                return await self._render(event, folder)

        return await self._checkpoints.run(event, HANDOUT, compute, HandoutRendered)

    async def _render(self, event: SourceAnalysed, folder: Path) -> HandoutRendered:
        document_bytes = await self._store.read(event.document.key)
        guide_bytes = await self._store.read(event.guide.key)
        document, guide = (
            SourceDocument.model_validate_json(document_bytes),
            StudyGuide.model_validate_json(guide_bytes),
        )
        inputs = {"document.json": document_bytes, "study_guide.json": guide_bytes}
        if event.transcript is not None:
            inputs["transcript.json"] = await self._store.read(event.transcript.key)
        output = folder / "output"
        await asyncio.to_thread(_write, folder, inputs)
        await self._fetch_pictures(event.document.key, document.blocks, folder / "pictures")
        request = RenderRequest(
            folder=folder,
            output=output,
            paper=event.parameters.paper,
            created_on=event.submitted_at.date().isoformat(),
        )
        files = await self._engine.render(request)
        return HandoutRendered(
            **event.job(),
            title=guide.title,
            artifacts=tuple(await self._keep(event, files)),
            warnings=tuple(dict.fromkeys([*document.warnings, *guide.warnings])),
        )

    async def _fetch_pictures(self, document_key: str, blocks: tuple[Block, ...], folder: Path) -> None:
        beside = document_key.rpartition("/")[0]
        names = {block.image.name for block in blocks if isinstance(block, SlideBlock | FigureBlock)}
        turns = asyncio.Semaphore(TRANSFERS)

        async def fetch(name: str) -> None:
            async with turns:
                try:
                    data = await self._store.read(f"{beside}/{name}")
                except ObjectNotFoundError:  # the handout says which picture is missing
                    return
                await asyncio.to_thread(_write, folder, {name: data})

        await asyncio.gather(*(fetch(name) for name in sorted(names)))

    async def _keep(self, event: SourceAnalysed, files: list[RenderedFile]) -> list[Artifact]:
        prefix = f"rendering/{event.job_id}/{event.parameters.digest()}"
        turns = asyncio.Semaphore(TRANSFERS)

        async def keep(file: RenderedFile) -> Artifact:
            async with turns:
                stored = await self._store.put_file(f"{prefix}/{file.name}", file.path, file.media_type)
            return Artifact(name=file.name, object=stored)

        return list(await asyncio.gather(*(keep(file) for file in files)))


def _write(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
