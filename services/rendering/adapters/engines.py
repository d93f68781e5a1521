"""The renderer behind its port, in a child process of its own."""

import datetime as dt

from services.rendering.domain.handout import Handout, RenderOptions
from services.rendering.domain.render_handout import RenderedFile, RenderRequest
from shared.documents import SourceDocument, StudyGuide, Transcript
from shared.engine_process import EngineProcess


def render_files(request: RenderRequest, *, system_fonts: bool) -> list[RenderedFile]:
    """Render what lies in the request's folder. Runs in the child: only there is the typesetter loaded."""
    from services.rendering.domain.rendering import render  # noqa: PLC0415 -- the service itself does not need it

    folder = request.folder
    transcript = folder / "transcript.json"
    handout = Handout(
        document=SourceDocument.model_validate_json((folder / "document.json").read_bytes()),
        guide=StudyGuide.model_validate_json((folder / "study_guide.json").read_bytes()),
        transcript=Transcript.model_validate_json(transcript.read_bytes()) if transcript.exists() else None,
        images=folder / "pictures",
        created_on=dt.date.fromisoformat(request.created_on),
        options=RenderOptions(paper=request.paper, system_fonts=system_fonts),
    )
    return [
        RenderedFile(name=file.name, media_type=file.media_type, path=file.path)
        for file in render(handout, request.output)
    ]


class LocalRenderEngine:
    """A RenderEngine with Typst and Jinja."""

    def __init__(self, timeout_s: float, *, system_fonts: bool) -> None:
        self._timeout_s = timeout_s
        self._system_fonts = system_fonts
        self._process = EngineProcess()

    async def render(self, request: RenderRequest) -> list[RenderedFile]:
        """Make every artefact."""
        return await self._process.run(self._timeout_s, render_files, request, system_fonts=self._system_fonts)

    def close(self) -> None:
        """End the child process."""
        self._process.kill()
