"""Figures cut out of a page as PNG."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import pypdfium2 as pdfium
from PIL import Image as Picture

from services.transcription.pages.models import Box
from shared.documents import Image

_MARGIN_PT = 3.0
_MAX_PIXELS = 4_000_000
_PAGE_PIXELS = 1280


@dataclass(frozen=True)
class Drawn:
    """What a page shows in `box`."""

    picture: Picture.Image
    box: Box


def draw_figure(page: pdfium.PdfPage, box: Box, dpi: float) -> Drawn:
    """`box` of `page` with a small margin."""
    width, height = page.get_size()
    left, top = max(0.0, box[0] - _MARGIN_PT), max(0.0, box[1] - _MARGIN_PT)
    right, bottom = min(width, box[2] + _MARGIN_PT), min(height, box[3] + _MARGIN_PT)
    scale = min(dpi / 72, (_MAX_PIXELS / max(1.0, (right - left) * (bottom - top))) ** 0.5)
    bitmap = page.render(scale=scale, crop=(left, height - bottom, width - right, top))
    try:
        return Drawn(bitmap.to_pil().convert("RGB"), (left, top, right, bottom))
    finally:
        bitmap.close()


def draw_page(page: pdfium.PdfPage) -> Drawn:
    """The whole of `page`, as wide as a slide is shown anywhere."""
    width, height = page.get_size()
    return draw_figure(page, (0, 0, width, height), _PAGE_PIXELS / width * 72)


def write_figure(drawn: Drawn, output: Path, name: str) -> Image:
    """Write it to `output`/`name` (a path like `figures/p0001-1.png`)."""
    data = io.BytesIO()
    drawn.picture.save(data, "PNG", optimize=False)
    path = output / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.getvalue())
    return Image(
        name=name,
        sha256=hashlib.sha256(data.getvalue()).hexdigest(),
        size=data.getbuffer().nbytes,
        width=drawn.picture.width,
        height=drawn.picture.height,
    )
