"""Pictures of a page that cannot be drawn, being damaged or of too many points: their place stays white."""

import pypdfium2 as pdfium
import pypdfium2.raw as pdf
from PIL import Image as Picture

from services.transcription.pages.graphics import Graphics
from services.transcription.pages.lines import inside
from services.transcription.pages.models import Box

_SMALL_SCALE = 0.5  # of a point: enough to see whether anything is there
_PLAIN = 0.97


def hides_picture(page: pdfium.PdfPage, graphics: Graphics) -> bool:
    """Whether a picture of `page` cannot be drawn."""
    width, height = page.get_size()
    bitmap = page.render(scale=_SMALL_SCALE, grayscale=True)
    try:
        return lacks_picture(bitmap.to_pil(), (0, 0, width, height), graphics)
    finally:
        bitmap.close()


def lacks_picture(drawn: Picture.Image, box: Box, graphics: Graphics) -> bool:
    """Whether a picture in `box` of the page, which was drawn as `drawn`, cannot be drawn."""
    return any(
        inside(where, box) and _is_plain(_part(drawn, box, where)) and not _is_drawable(handle)
        for where, handle in graphics.pictures
    )


def _is_plain(drawn: Picture.Image) -> bool:
    """Whether `drawn` is of one colour almost all over: some lines may run across it."""
    counts = drawn.convert("L").histogram()
    return max(counts) >= _PLAIN * sum(counts)


def is_blank(drawn: Picture.Image) -> bool:
    """Whether `drawn` is of one colour all over."""
    lightest_and_darkest = drawn.convert("L").getextrema()
    return lightest_and_darkest[0] == lightest_and_darkest[1]


def _part(drawn: Picture.Image, box: Box, where: Box) -> Picture.Image:
    """What was drawn at `where`, without the points at its edges, which others share."""
    across, down = drawn.width / (box[2] - box[0]), drawn.height / (box[3] - box[1])
    left, top = round((where[0] - box[0]) * across) + 1, round((where[1] - box[1]) * down) + 1
    right, bottom = round((where[2] - box[0]) * across) - 1, round((where[3] - box[1]) * down) - 1
    return drawn.crop((left, top, max(left + 1, right), max(top + 1, bottom)))


def _is_drawable(handle: object) -> bool:
    bitmap = pdf.FPDFImageObj_GetBitmap(handle)
    if not bitmap:
        return False
    pdf.FPDFBitmap_Destroy(bitmap)
    return True
