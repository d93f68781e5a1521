"""The renderer of the chaos run: each file is the hash of everything it is made of."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from services.rendering.domain.render_handout import RenderedFile, RenderRequest
from shared.documents import SourceDocument
from tests.chaos.content import RENDER, Content
from tests.chaos.engines import Workshop

FILES = {
    "handout.pdf": "application/pdf",
    "handout.html": "text/html",
    "handout.md": "text/markdown",
}


@dataclass(frozen=True)
class ChaosRendering:
    """A RenderEngine of three small files."""

    workshop: Workshop

    async def render(self, request: RenderRequest) -> list[RenderedFile]:
        """The files, functions of all that lies in the request's folder."""
        content = content_of(request.folder)
        await self.workshop.do(content, RENDER)
        request.output.mkdir(exist_ok=True)
        return [written(request, name, media_type) for name, media_type in FILES.items()]


def content_of(folder: Path) -> Content:
    """The instructions that came along in the document's title."""
    document = SourceDocument.model_validate_json((folder / "document.json").read_bytes())
    return Content.model_validate_json(document.title or "")


def written(request: RenderRequest, name: str, media_type: str) -> RenderedFile:
    """One file in the request's output folder."""
    digest = hashlib.sha256(f"{name}\0{request.paper}".encode())
    for path in sorted(request.folder.rglob("*")):
        if path.is_file() and not path.is_relative_to(request.output):
            digest.update(path.relative_to(request.folder).as_posix().encode() + b"\0" + path.read_bytes())
    path = request.output / name
    path.write_text(digest.hexdigest())
    return RenderedFile(name=name, media_type=media_type, path=path)
