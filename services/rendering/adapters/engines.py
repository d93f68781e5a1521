"""The renderer behind its port, in a child process of its own."""

import datetime as dt

from services.rendering.domain.handout import Handout, RenderOptions
from services.rendering.domain.render_handout import RenderedFile, RenderRequest
from shared.documents import SourceDocument, StudyGuide, Transcript
from shared.engine_process import EngineProcess
from shared.errors import EngineError, LecternError
from shared.telemetry import span
from shared.time_limits import TimeLimits


def render_product(request: RenderRequest, *, system_fonts: bool) -> list[RenderedFile]:
    """Render one product of what lies in the request's folder. Runs in the child: only there is the typesetter loaded.

    Raises EngineError whatever goes wrong: it concerns this product alone, and not every library's own errors survive
    the way from one process to another.
    """
    from services.rendering.domain.rendering import render  # noqa: PLC0415 -- the service itself does not need it

    try:
        artifacts = render(_handout(request, system_fonts=system_fonts), request.output, [request.product])
    except LecternError:
        raise
    except Exception as error:  # whatever a typesetter, template or picture library raises fails this product alone
        # Some of it cannot be sent to the service as it is, and the child of an engine has no middleware around it.
        raise EngineError(f"{request.product}: {type(error).__name__}: {error}") from error
    return [RenderedFile(name=file.name, media_type=file.media_type, path=file.path) for file in artifacts]


def _handout(request: RenderRequest, *, system_fonts: bool) -> Handout:
    folder = request.folder
    transcript = folder / "transcript.json"
    has_transcript = request.product == "captions" and transcript.exists()  # nothing else is made of it
    return Handout(
        document=SourceDocument.model_validate_json((folder / "document.json").read_bytes()),
        guide=StudyGuide.model_validate_json((folder / "study_guide.json").read_bytes()),
        transcript=Transcript.model_validate_json(transcript.read_bytes()) if has_transcript else None,
        images=folder / "pictures",
        created_on=dt.date.fromisoformat(request.created_on),
        options=RenderOptions(paper=request.paper, system_fonts=system_fonts),
    )


class LocalRenderEngine:
    """A RenderEngine with Typst and Jinja."""

    def __init__(self, process: EngineProcess, limits: TimeLimits, *, system_fonts: bool) -> None:
        self._process = process
        self._limits = limits
        self._system_fonts = system_fonts

    async def render(self, request: RenderRequest) -> list[RenderedFile]:
        """Make the files of one product."""
        with span(
            f"engine render {request.product}", {"lectern.engine.name": "render", "lectern.product": request.product}
        ):
            return await self._process.run(self._limits, render_product, request, system_fonts=self._system_fonts)
