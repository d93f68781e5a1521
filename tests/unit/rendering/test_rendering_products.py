"""One product that cannot be made takes nothing else with it, and nothing is made twice (PIP-1, PIP-2)."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
import pytest_asyncio
from pydantic import BaseModel

from services.rendering.domain.handout import Handout
from services.rendering.domain.render_handout import RenderedFile, RenderHandout, RenderRequest
from shared.checkpoints import Finished
from shared.errors import EngineError, EngineTimeoutError, ObjectNotFoundError, StorageError
from shared.events import PRODUCTS, HandoutRendered, Message, Parameters, Product, SourceAnalysed
from shared.scratch import Scratch
from shared.storage import ObjectRef
from shared.storage.local import LocalObjectStore

R = TypeVar("R", bound=BaseModel)

FILES: dict[Product, tuple[str, ...]] = {
    "pdf": ("handout.pdf",),
    "html": ("handout.html",),
    "markdown": ("handout.md",),
    "captions": ("captions.vtt", "captions.srt", "transcript.json"),
    "data": ("slides.json", "document.json", "study_guide.json"),
    "pictures": ("slides/002.png", "slides/001.png"),
}
ALL_FILES = [name for product in PRODUCTS for name in FILES[product]]


class PermanentEngineError(EngineError):
    retryable = False
    default_message = "This script has no fonts."


@dataclass
class MemoryCheckpoints:
    """Checkpoints without a database."""

    kept: dict[str, Any] = field(default_factory=dict)

    async def finished(self, message: Message) -> Finished:
        return Finished(message, self.kept)

    async def run(
        self,
        message: Message,
        unit: str,
        compute: Callable[[], Awaitable[R]],
        kind: type[R],
        *,
        known: Finished | None = None,
    ) -> R:
        if unit not in self.kept:
            self.kept[unit] = (await compute()).model_dump(mode="json")
        result = Finished(message, self.kept).get(unit, kind)
        assert result is not None
        return result


@dataclass
class FakeEngine:
    """Raises the faults that are left for a product, then makes its files."""

    faults: dict[Product, list[Exception]] = field(default_factory=dict)
    asked: list[Product] = field(default_factory=list)
    folders: set[Path] = field(default_factory=set)

    async def render(self, request: RenderRequest) -> list[RenderedFile]:
        self.asked.append(request.product)
        self.folders.add(request.folder)
        assert {"document.json", "study_guide.json", "transcript.json"} <= {p.name for p in request.folder.iterdir()}
        if self.faults.get(request.product):
            raise self.faults[request.product].pop(0)
        return [self._file(request, name) for name in FILES[request.product]]

    @staticmethod
    def _file(request: RenderRequest, name: str) -> RenderedFile:
        path = request.output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        return RenderedFile(name=name, media_type="text/plain", path=path)

    def take_asked(self) -> list[Product]:
        asked, self.asked = self.asked, []
        return asked


class WatchedStore(LocalObjectStore):
    """A store that counts reads, and refuses the keys that end in `refused`."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.reads: list[str] = []
        self.refused = "nothing"

    async def read(self, key: str) -> bytes:
        self.reads.append(key)
        return await super().read(key)

    async def put_file(self, key: str, path: Path, media_type: str) -> ObjectRef:
        if key.endswith(self.refused):
            raise StorageError("the disk is full")
        return await super().put_file(key, path, media_type)


@dataclass
class Service:
    """The use case with what it works on."""

    store: WatchedStore
    engine: FakeEngine
    checkpoints: MemoryCheckpoints
    scratch: Scratch
    event: SourceAnalysed

    async def render(self, attempts_left: int = 0, **changes: Any) -> HandoutRendered:
        checkpoints: Any = self.checkpoints
        use_case = RenderHandout(self.store, checkpoints, self.scratch, self.engine)
        return await use_case(
            self.event.model_copy(update=changes), lambda error: not (error.retryable and attempts_left)
        )


@pytest_asyncio.fixture
async def service(lecture_handout: Handout, tmp_path: Path) -> AsyncIterator[Service]:
    store = WatchedStore(tmp_path / "store")
    scratch = Scratch(tmp_path / "scratch")
    scratch.clean()

    async def put(name: str, model: BaseModel | None) -> ObjectRef:
        assert model is not None
        return await store.put_bytes(f"transcription/job/{name}", model.model_dump_json().encode(), "application/json")

    for number in (1, 2):
        await store.put_bytes(f"transcription/job/slides/{number:03d}.png", b"PNG", "image/png")
    event = SourceAnalysed(
        job_id="job-00001",
        document=await put("document.json", lecture_handout.document),
        guide=await put("study_guide.json", lecture_handout.guide),
        transcript=await put("transcript.json", lecture_handout.transcript),
    )
    yield Service(store, FakeEngine(), MemoryCheckpoints(), scratch, event)
    scratch.remove()


def names(rendered: HandoutRendered) -> list[str]:
    return [artifact.name for artifact in rendered.artifacts]


async def test_each_product_is_a_call_and_a_checkpoint_of_its_own(service: Service) -> None:
    rendered = await service.render()
    assert service.engine.take_asked() == list(PRODUCTS)
    assert len(service.engine.folders) == 1
    assert names(rendered) == ALL_FILES
    assert rendered.missing == ()
    assert rendered.title == "How volcanoes are monitored"
    assert set(service.checkpoints.kept) == {"handout-1", *(f"product-{product}" for product in PRODUCTS)}
    for artifact in rendered.artifacts:
        assert await service.store.read(artifact.object.key) == artifact.name.encode()
    assert await service.render() == rendered
    assert service.engine.take_asked() == []
    assert not list(service.scratch.path.glob("tmp*"))


async def test_a_killed_worker_s_successor_makes_only_the_rest(service: Service) -> None:
    rendered = await service.render()
    del service.checkpoints.kept["handout-1"], service.checkpoints.kept["product-captions"]
    assert await service.render() == rendered
    assert service.engine.take_asked() == [*PRODUCTS, "captions"]


async def test_inputs_are_fetched_once_and_only_when_something_is_missing(service: Service) -> None:
    rendered = await service.render()
    assert len(service.store.reads) == len(set(service.store.reads))
    assert len([key for key in service.store.reads if key.endswith(".png")]) == 5
    service.store.reads.clear()
    again = await service.render(run=2)
    assert {key.rpartition("/")[2] for key in service.store.reads} == {"document.json", "study_guide.json"}
    assert again == rendered.model_copy(update={"run": 2})


async def test_an_optional_product_s_passing_fault_is_tried_again_while_there_are_attempts(service: Service) -> None:
    service.engine.faults["html"] = [EngineError("one"), EngineError("two")]
    with pytest.raises(EngineError, match="one"):
        await service.render(attempts_left=2)
    assert service.engine.take_asked() == list(PRODUCTS)
    with pytest.raises(EngineError, match="two"):
        await service.render(attempts_left=1)
    rendered = await service.render(attempts_left=0)
    assert service.engine.take_asked() == ["html", "html"]
    assert names(rendered) == ALL_FILES
    assert rendered.missing == ()


@pytest.mark.parametrize(
    ("error", "attempts_left", "reason"),
    [
        (EngineError("/secret/path"), 0, "A processing engine failed on this file."),
        (EngineTimeoutError("killed"), 0, "A processing step took too long and was stopped."),
        (PermanentEngineError("/secret/path"), 4, "This script has no fonts."),
    ],
)
async def test_what_cannot_be_made_is_missing_with_its_reason(
    service: Service, error: EngineError, attempts_left: int, reason: str
) -> None:
    service.engine.faults["html"] = [error]
    rendered = await service.render(attempts_left)
    assert rendered.missing == (f"The web page (HTML) could not be made. {reason} Retry the job to try again.",)
    assert names(rendered) == [name for name in ALL_FILES if name != "handout.html"]
    assert "product-html" not in service.checkpoints.kept

    assert await service.render(attempts_left) == rendered, "a redelivery says the same, whatever works now"
    assert service.engine.take_asked() == list(PRODUCTS)

    complete = await service.render(attempts_left, run=2)
    assert service.engine.take_asked() == ["html"]
    assert names(complete) == ALL_FILES
    assert (complete.missing, complete.run) == ((), 2)


async def test_every_product_may_fail_but_the_required_one(service: Service) -> None:
    service.engine.faults = {product: [EngineError("x")] for product in PRODUCTS if product != "pdf"}
    rendered = await service.render()
    assert names(rendered) == ["handout.pdf"]
    assert len(set(rendered.missing)) == len(PRODUCTS) - 1


async def test_a_required_product_fails_the_message_after_all_others_were_tried(service: Service) -> None:
    parameters = Parameters(required=("pdf", "html"))
    service.engine.faults = {
        "pdf": [EngineError("pdf")],
        "html": [PermanentEngineError("html")],
        "data": [EngineError("data")],
    }
    with pytest.raises(PermanentEngineError, match="html"):
        await service.render(parameters=parameters)
    assert service.engine.take_asked() == list(PRODUCTS)
    rendered = await service.render(parameters=parameters)
    assert service.engine.take_asked() == ["pdf", "html", "data"]
    assert names(rendered) == ALL_FILES


@pytest.mark.parametrize("attempts_left", [0, 3])
async def test_storage_that_refuses_is_no_product_s_fault(service: Service, attempts_left: int) -> None:
    service.store.refused = "handout.html"
    with pytest.raises(StorageError, match="full"):
        await service.render(attempts_left)
    assert service.engine.take_asked() == ["pdf", "html"]


async def test_inputs_that_are_gone_are_no_product_s_fault(service: Service) -> None:
    await service.store.delete(service.event.guide.key)
    with pytest.raises(ObjectNotFoundError):
        await service.render()


@pytest.mark.parametrize(
    ("changes", "products"),
    [
        ({"kind": "document", "page_count": 3}, {"pdf", "html", "markdown", "data", "pictures"}),
        ({"blocks": []}, {"pdf", "html", "markdown", "captions", "data"}),
    ],
)
async def test_only_what_the_source_has_is_planned(
    service: Service, changes: dict[str, Any], products: set[Product]
) -> None:
    content = json.loads(await service.store.read(service.event.document.key)) | changes
    await service.store.put_bytes(service.event.document.key, json.dumps(content).encode(), "application/json")
    rendered = await service.render(parameters=Parameters(required=PRODUCTS))
    assert set(service.engine.take_asked()) == products
    assert rendered.missing == ()
