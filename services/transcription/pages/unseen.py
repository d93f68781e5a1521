"""Text that nobody sees: without ink, in the colour of what it stands on, under a bar, on a layer that is put aside."""

from dataclasses import replace

import numpy as np
import pypdfium2 as pdfium

from services.transcription.pages.figures import draw_figure
from services.transcription.pages.graphics import Graphics
from services.transcription.pages.lines import Line, TextPage, area, overlap

_DPI = 72.0
_LEAST_CONTRAST = 10  # of 255 levels; the faintest that is read on paper has 30
_ON_PICTURE = 0.3  # of a line


def without_unseen(page: pdfium.PdfPage, text: TextPage, graphics: Graphics) -> TextPage:
    """`text` without the lines whose place on `page` is of one colour; what a scanner's program read stays."""
    if not graphics.veiled or graphics.hides_text:
        return text
    drawn = np.asarray(draw_figure(page, (0.0, 0.0, text.width, text.height), _DPI).picture)
    scale = drawn.shape[1] / text.width
    pictures = graphics.images + graphics.backgrounds
    seen = [line for line in text.lines if _is_seen(line, drawn, scale) or any(_lies_on(line, p) for p in pictures)]
    if len(seen) == len(text.lines):
        return text
    return replace(text, lines=seen, raw="\n".join(line.text for line in seen))


def _is_seen(line: Line, drawn: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]", scale: float) -> bool:
    x0, y0, x1, y1 = (round(side * scale) for side in line.box)
    place = drawn[max(0, y0) : max(y1, y0 + 1), max(0, x0) : max(x1, x0 + 1)]
    return place.size == 0 or int(np.ptp(place, axis=(0, 1)).max()) >= _LEAST_CONTRAST


def _lies_on(line: Line, picture: tuple[float, float, float, float]) -> bool:
    return overlap(line.box, picture) > _ON_PICTURE * area(line.box)
