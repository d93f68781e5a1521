"""Figures cut out of a page as PNG."""

import hashlib
import io
from pathlib import Path

import pypdfium2 as pdfium

from services.transcription.pages.models import Box
from shared.documents import Image

_MARGIN_PT = 3.0
_MAX_PIXELS = 4_000_000
_PAGE_PIXELS = 1280


def cut_figure(page: pdfium.PdfPage, box: Box, output: Path, name: str, dpi: int) -> Image:
    """Render `box` of `page` and write it to `output`/`name` (a path like `figures/p0001-1.png`)."""
    return _cut(page, box, output, name, dpi)


def cut_page(page: pdfium.PdfPage, output: Path, name: str) -> Image:
    """Render the whole of `page` likewise, as wide as a slide is shown anywhere."""
    width, height = page.get_size()
    return _cut(page, (0, 0, width, height), output, name, _PAGE_PIXELS / width * 72)


def _cut(page: pdfium.PdfPage, box: Box, output: Path, name: str, dpi: float) -> Image:
    width, height = page.get_size()
    left, top = max(0.0, box[0] - _MARGIN_PT), max(0.0, box[1] - _MARGIN_PT)
    right, bottom = min(width, box[2] + _MARGIN_PT), min(height, box[3] + _MARGIN_PT)
    scale = min(dpi / 72, (_MAX_PIXELS / max(1.0, (right - left) * (bottom - top))) ** 0.5)
    bitmap = page.render(scale=scale, crop=(left, height - bottom, width - right, top))
    try:
        picture = bitmap.to_pil().convert("RGB")
    finally:
        bitmap.close()
    data = io.BytesIO()
    picture.save(data, "PNG", optimize=False)
    path = output / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.getvalue())
    return Image(
        name=name,
        sha256=hashlib.sha256(data.getvalue()).hexdigest(),
        size=data.getbuffer().nbytes,
        width=picture.width,
        height=picture.height,
    )
