"""The use case of rendering: the files of a handout from a document and its study guide.

Each product is made and kept by itself: one that cannot be made takes nothing else with it (PIP-2).
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

import structlog

from shared.checkpoints import Checkpoints, Finished, read_stored
from shared.documents import FigureBlock, SlideBlock, SourceDocument, StudyGuide, Value
from shared.errors import EngineError, LecternError, ObjectNotFoundError
from shared.events import PRODUCTS, Artifact, HandoutRendered, Product, SourceAnalysed
from shared.scratch import Scratch
from shared.storage import ObjectStore, one_span, put_together

# Pictures are fetched and files stored a few at a time: enough to hide a store's latency, few enough for its pool.
TRANSFERS = 8

NAMES: dict[Product, str] = {
    "pdf": "The PDF",
    "html": "The web page (HTML)",
    "markdown": "The Markdown text",
    "captions": "The captions and the transcript file",
    "data": "The data files (JSON)",
    "pictures": "The pictures as files of their own",
}

# Whether the message at hand would not be tried again after this error.
GivesUp = Callable[[LecternError], bool]

log = structlog.get_logger()


class RenderRequest(Value):
    """What an engine renders: JSON files and pictures in `folder`, laid out as `RenderHandout` puts them there.

    All products of a handout have the same `folder` and `output`: what is left there for one may serve the next.
    """

    product: Product
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
        """Make the files of one product. Raises EngineError, which speaks of this product alone."""
        ...


class RenderedProduct(Value):
    """The stored files of one product, in their order in the handout."""

    artifacts: tuple[Artifact, ...]


class RenderHandout:
    """Renders each product once and keeps its files as objects."""

    def __init__(self, store: ObjectStore, checkpoints: Checkpoints, scratch: Scratch, engine: RenderEngine) -> None:
        self._store = store
        self._checkpoints = checkpoints
        self._scratch = scratch
        self._engine = engine

    async def __call__(self, event: SourceAnalysed, gives_up: GivesUp) -> HandoutRendered:
        """The event that lists the files, and says which optional ones are missing. Renders what is not there yet.

        Every product is tried before an EngineError is raised: that of a required product, or that of an
        optional one with which the message would be tried again, as `gives_up` says.
        """

        async def compute() -> HandoutRendered:
            with self._scratch.folder() as folder:
                return await self._render(event, gives_up, folder)

        # One result for each run: its redelivery gives the same event, and the next run makes what is missing.
        return await self._checkpoints.run(event, f"handout-{event.run}", compute, HandoutRendered)

    async def _render(self, event: SourceAnalysed, gives_up: GivesUp, folder: Path) -> HandoutRendered:
        with one_span("get inputs"):
            inputs = {
                "document.json": await self._store.read(event.document.key),
                "study_guide.json": await self._store.read(event.guide.key),
            }
        document = read_stored(SourceDocument, inputs["document.json"])
        guide = read_stored(StudyGuide, inputs["study_guide.json"])
        products = products_of(document)
        finished = await self._checkpoints.finished(event)
        if finished.get_all([_unit(event, product) for product in products], RenderedProduct) is None:
            with one_span("get pictures"):
                await self._lay_out(event, document, inputs, folder)
        artifacts: list[Artifact] = []
        failures: dict[Product, EngineError] = {}
        for product in products:
            try:
                artifacts += (await self._product(event, product, folder, finished)).artifacts
            except EngineError as error:
                log.warning("product could not be made", product=product, exc_info=error)
                failures[product] = error
        deciding = error_to_raise(failures, event.parameters.required, gives_up)
        if deciding is not None:
            raise deciding
        return HandoutRendered(
            **event.job(),
            title=guide.title,
            artifacts=tuple(artifacts),
            warnings=tuple(w for w in dict.fromkeys([*document.warnings, *guide.warnings]) if w not in event.missing),
            missing=event.missing
            + tuple(
                f"{NAMES[product]} could not be made. {error.public_message} Retry the job to try again."
                for product, error in failures.items()
            ),
        )

    async def _product(self, event: SourceAnalysed, product: Product, folder: Path, known: Finished) -> RenderedProduct:
        async def compute() -> RenderedProduct:
            request = RenderRequest(
                product=product,
                folder=folder,
                output=folder / "output",
                paper=event.parameters.paper,
                created_on=event.submitted_at.date().isoformat(),
            )
            return RenderedProduct(artifacts=await self._keep(event, await self._engine.render(request)))

        return await self._checkpoints.run(event, _unit(event, product), compute, RenderedProduct, known=known)

    async def _lay_out(
        self, event: SourceAnalysed, document: SourceDocument, inputs: dict[str, bytes], folder: Path
    ) -> None:
        if event.transcript is not None:
            inputs = {**inputs, "transcript.json": await self._store.read(event.transcript.key)}
        await asyncio.to_thread(_write, folder, inputs)
        beside = event.document.key.rpartition("/")[0]
        turns = asyncio.Semaphore(TRANSFERS)

        async def fetch(name: str) -> None:
            async with turns:
                try:
                    data = await self._store.read(f"{beside}/{name}")
                except ObjectNotFoundError:  # the handout says which picture is missing
                    return
                await asyncio.to_thread(_write, folder / "pictures", {name: data})

        await asyncio.gather(*(fetch(name) for name in _pictures_of(document)))

    async def _keep(self, event: SourceAnalysed, files: list[RenderedFile]) -> tuple[Artifact, ...]:
        prefix = f"rendering/{event.job_id}/{event.folder()}"
        turns = asyncio.Semaphore(TRANSFERS)

        async def keep(file: RenderedFile) -> Artifact:
            async with turns:
                stored = await self._store.put_file(f"{prefix}/{file.name}", file.path, file.media_type)
            return Artifact(name=file.name, object=stored)

        with put_together("rendering"):
            return tuple(await asyncio.gather(*(keep(file) for file in files)))


def products_of(document: SourceDocument) -> tuple[Product, ...]:
    """The products that a handout of `document` has: captions of recordings, pictures where there are some."""
    absent: set[Product] = set()
    if document.kind != "recording":
        absent.add("captions")
    if not _pictures_of(document):
        absent.add("pictures")
    return tuple(product for product in PRODUCTS if product not in absent)


def error_to_raise(
    failures: dict[Product, EngineError], required: tuple[Product, ...], gives_up: GivesUp
) -> EngineError | None:
    """The failure that decides about the message; None: the handout is finished without what failed.

    A required product's counts first, and of these a permanent one: no further attempt can help then.
    """
    vital = [error for product, error in failures.items() if product in required]
    if vital:
        return min(vital, key=lambda error: error.retryable)
    return next((error for error in failures.values() if not gives_up(error)), None)


def _pictures_of(document: SourceDocument) -> list[str]:
    return sorted({block.image.name for block in document.blocks if isinstance(block, SlideBlock | FigureBlock)})


def _unit(event: SourceAnalysed, product: Product) -> str:
    return event.name_for(f"product-{product}")


def _write(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
