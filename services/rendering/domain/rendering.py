"""Making the artefacts of a handout, product by product."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from services.rendering.domain.captions import cues_of
from services.rendering.domain.handout import Artifact, Handout
from services.rendering.domain.view import HandoutView, view_of
from services.rendering.formats.captions import srt, webvtt
from services.rendering.formats.data import model_json, slides_json
from services.rendering.formats.html import html
from services.rendering.formats.markdown import markdown
from services.rendering.formats.pdf import write_pdf
from services.rendering.formats.pictures import PreparedPicture, prepare_pictures
from shared.documents import FigureBlock, SlideBlock, Transcript
from shared.events import PRODUCTS, Product

MEDIA_TYPES = {
    ".pdf": "application/pdf",
    ".html": "text/html; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".vtt": "text/vtt; charset=utf-8",
    ".srt": "application/x-subrip",
    ".json": "application/json",
    ".png": "image/png",
}
SCALED = ".scaled"  # folder beside the artefacts, for what the PDF and the HTML share


def render(handout: Handout, output: Path, products: Sequence[Product] = PRODUCTS) -> list[Artifact]:
    """Write the artefacts of `products` into `output` and list them; all of them begin with the PDF.

    The same handout gives the same bytes. Pictures that are missing or unreadable are left out and said to be.
    `output` belongs to this handout: pictures that were scaled for one product are found there by the next.

    Raises:
        EngineError: the typesetter failed.
    """
    output.mkdir(parents=True, exist_ok=True)
    return [artifact for product in products for artifact in _MAKERS[product](handout, output)]


def _pdf(handout: Handout, output: Path) -> Iterator[Artifact]:
    view = view_of(handout)
    pictures = _scaled_pictures(view, handout.images, output / SCALED)
    pdf = write_pdf(view, pictures, handout.created_on, handout.options, output / SCALED)
    yield _write(output, "handout.pdf", pdf)


def _html(handout: Handout, output: Path) -> Iterator[Artifact]:
    view = view_of(handout)
    pictures = _scaled_pictures(view, handout.images, output / SCALED)
    yield _write(output, "handout.html", html(view, pictures))


def _markdown(handout: Handout, output: Path) -> Iterator[Artifact]:
    yield _write(output, "handout.md", markdown(view_of(handout)))


def _captions(handout: Handout, output: Path) -> Iterator[Artifact]:
    document = handout.document
    if document.kind != "recording":
        return
    transcript = handout.transcript or Transcript(
        language=document.language, duration_s=document.duration_s or 0.0, engine="none", segments=()
    )
    cues = cues_of(transcript)
    if cues:  # an empty file of captions would look like one that failed
        yield _write(output, "captions.vtt", webvtt(cues))
        yield _write(output, "captions.srt", srt(cues))
    yield _write(output, "transcript.json", model_json(transcript))


def _data(handout: Handout, output: Path) -> Iterator[Artifact]:
    if handout.document.kind == "recording":
        yield _write(output, "slides.json", slides_json(handout.document))
    yield _write(output, "document.json", model_json(handout.document))
    yield _write(output, "study_guide.json", model_json(handout.guide))


def _pictures(handout: Handout, output: Path) -> Iterator[Artifact]:
    blocks = handout.document.blocks
    for name in dict.fromkeys(b.image.name for b in blocks if isinstance(b, SlideBlock | FigureBlock)):
        source, target = handout.images / name, output / name
        if source.is_file():
            target.parent.mkdir(exist_ok=True)
            if not (target.exists() and target.samefile(source)):
                shutil.copyfile(source, target)
            yield Artifact(name, MEDIA_TYPES[".png"], target)


_MAKERS: dict[Product, Callable[[Handout, Path], Iterator[Artifact]]] = {
    "pdf": _pdf,
    "html": _html,
    "markdown": _markdown,
    "captions": _captions,
    "data": _data,
    "pictures": _pictures,
}


def _write(output: Path, name: str, data: bytes) -> Artifact:
    path = output / name
    path.write_bytes(data)
    return Artifact(name, MEDIA_TYPES[path.suffix], path)


def _scaled_pictures(view: HandoutView, images: Path, folder: Path) -> dict[str, PreparedPicture]:
    """The pictures of `view` as `prepare_pictures` leaves them in `folder`, from the first who asks for them.

    The list of them appears when all of them are there: a process that was killed meanwhile leaves none.
    """
    listed = folder / "pictures.json"
    if listed.exists():
        sizes = json.loads(listed.read_bytes()).items()
        return {name: PreparedPicture(folder / file, width, height) for name, (file, width, height) in sizes}
    folder.mkdir(exist_ok=True)
    pictures = prepare_pictures(view.pictures, images, folder)
    unfinished = folder / "pictures.json.new"
    unfinished.write_text(json.dumps({name: (p.path.name, p.width, p.height) for name, p in pictures.items()}))
    unfinished.replace(listed)
    return pictures
