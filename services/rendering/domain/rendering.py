"""Making every artefact of a handout."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from services.rendering.domain.captions import cues_of
from services.rendering.domain.handout import Artifact, Handout
from services.rendering.domain.view import HandoutView, view_of
from services.rendering.formats.captions import srt, webvtt
from services.rendering.formats.data import model_json, slides_json
from services.rendering.formats.html import html
from services.rendering.formats.markdown import markdown
from services.rendering.formats.pdf import write_pdf
from services.rendering.formats.pictures import prepare_pictures
from shared.documents import FigureBlock, SlideBlock, SourceDocument, Transcript

MEDIA_TYPES = {
    ".pdf": "application/pdf",
    ".html": "text/html; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".vtt": "text/vtt; charset=utf-8",
    ".srt": "application/x-subrip",
    ".json": "application/json",
    ".png": "image/png",
}


def render(handout: Handout, output: Path) -> list[Artifact]:
    """Write all artefacts of `handout` into `output` and list them, the PDF first.

    The same handout gives the same bytes. Pictures that are missing or unreadable are left out and said to be.

    Raises:
        EngineError: the typesetter failed.
    """
    output.mkdir(parents=True, exist_ok=True)
    view = view_of(handout)
    artifacts = [_write(output, name, data) for name, data in _readable(handout, view)]
    artifacts += [_write(output, name, data) for name, data in _data(handout)]
    return artifacts + list(_pictures(handout.document, handout.images, output))


def _readable(handout: Handout, view: HandoutView) -> Iterator[tuple[str, bytes]]:
    with tempfile.TemporaryDirectory(prefix="handout-") as scratch:
        pictures = prepare_pictures(view.pictures, handout.images, Path(scratch))
        yield "handout.pdf", write_pdf(view, pictures, handout.created_on, handout.options, Path(scratch))
        yield "handout.html", html(view, pictures)
    yield "handout.md", markdown(view)


def _data(handout: Handout) -> Iterator[tuple[str, bytes]]:
    document = handout.document
    if document.kind == "recording":
        transcript = handout.transcript or Transcript(
            language=document.language, duration_s=document.duration_s or 0.0, engine="none", segments=()
        )
        cues = cues_of(transcript)
        yield "captions.vtt", webvtt(cues)
        yield "captions.srt", srt(cues)
        yield "transcript.json", model_json(transcript)
        yield "slides.json", slides_json(document)
    yield "document.json", model_json(document)
    yield "study_guide.json", model_json(handout.guide)


def _write(output: Path, name: str, data: bytes) -> Artifact:
    path = output / name
    path.write_bytes(data)
    return Artifact(name, MEDIA_TYPES[path.suffix], path)


def _pictures(document: SourceDocument, images: Path, output: Path) -> Iterator[Artifact]:
    names = dict.fromkeys(b.image.name for b in document.blocks if isinstance(b, SlideBlock | FigureBlock))
    for name in names:
        target = output / name
        if (images / name).is_file():
            target.parent.mkdir(exist_ok=True)
            if not (target.exists() and target.samefile(images / name)):
                shutil.copyfile(images / name, target)
            yield Artifact(name, MEDIA_TYPES[".png"], target)
