"""The renderer of the chaos run: each file is the hash of everything it is made of."""

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path

from services.rendering.domain.render_handout import RenderedFile, RenderRequest
from shared.documents import SourceDocument
from shared.events import Product
from tests.chaos.content import RENDER, Content
from tests.chaos.workshop import Workshop

FILES: dict[Product, tuple[tuple[str, str], ...]] = {
    "pdf": (("handout.pdf", "application/pdf"),),
    "html": (("handout.html", "text/html"),),
    "markdown": (("handout.md", "text/markdown"),),
    "captions": (("captions.srt", "application/x-subrip"), ("captions.vtt", "text/vtt")),
    "data": (("document.json", "application/json"), ("study_guide.json", "application/json")),
    "pictures": (("slides/001.png", "image/png"),),
}


@dataclass(frozen=True)
class ChaosRendering:
    """A RenderEngine of small files."""

    workshop: Workshop

    async def render(self, request: RenderRequest) -> list[RenderedFile]:
        """The files of one product, functions of all that lies in the request's folder."""
        content = await asyncio.to_thread(_content_of, request.folder)
        await self.workshop.do(content, f"{RENDER}-{request.product}")
        return await asyncio.to_thread(_write_all, request)


def _content_of(folder: Path) -> Content:
    """The instructions that came along in the document's title."""
    document = SourceDocument.model_validate_json((folder / "document.json").read_bytes())
    return Content.model_validate_json(document.title or "")


def _write_all(request: RenderRequest) -> list[RenderedFile]:
    return [_written(request, name, media_type) for name, media_type in FILES[request.product]]


def _written(request: RenderRequest, name: str, media_type: str) -> RenderedFile:
    digest = hashlib.sha256(f"{name}\0{request.paper}".encode())
    for path in sorted(request.folder.rglob("*")):
        if path.is_file() and not path.is_relative_to(request.output):
            digest.update(path.relative_to(request.folder).as_posix().encode() + b"\0" + path.read_bytes())
    path = request.output / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(digest.hexdigest())
    return RenderedFile(name=name, media_type=media_type, path=path)
