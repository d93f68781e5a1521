"""Pictures of a page that cannot be drawn, being damaged or of too many points: their place stays empty."""

import ctypes

import pypdfium2 as pdfium
import pypdfium2.raw as pdf
from PIL import Image as Picture

from services.transcription.pages.graphics import Graphics
from services.transcription.pages.lines import area
from services.transcription.pages.models import Box

_SPECK = 0.002  # of the page; smaller pictures are bullets and icons
_MOST_TRIED, _MOST_POINTS_TRIED = 200, 1_000_000_000  # of a page's pictures, the largest first
_MOST_POINTS = 2**31 // 3  # of a picture: pdfium leaves one of 2 GB or more out of a page
_MOST_DECODED = 20_000_000  # points of a picture that is decoded whole: of JPEG 2000 a point takes 15 bytes
_TRIAL = 16  # times smaller: at such a size not even JPEG 2000 is decoded whole
_LEAST_SIDE, _MOST_SIDE = 64, 2048


def undrawn_pictures(page: pdfium.PdfPage, graphics: Graphics) -> list[Box]:
    """Where the pictures of `page` stand that cannot be drawn, whatever is drawn over them; specks left out."""
    width, height = page.get_size()
    worth = [picture for picture in graphics.pictures if area(picture[0]) > _SPECK * width * height]
    worth.sort(key=lambda picture: -area(picture[0]))
    found, tried = [], 0
    for where, handle in worth[:_MOST_TRIED]:
        across, down = _size(handle)
        if across * down > _MOST_POINTS:
            found.append(where)
        elif tried + across * down <= _MOST_POINTS_TRIED:
            tried += across * down
            if not _is_drawable(handle, across, down, page):
                found.append(where)
    return found


def is_blank(drawn: Picture.Image) -> bool:
    """Whether `drawn` is of one colour all over."""
    lightest_and_darkest = drawn.convert("L").getextrema()
    return lightest_and_darkest[0] == lightest_and_darkest[1]


def _size(handle: object) -> tuple[int, int]:
    """The points across and down that a picture has by the file's word."""
    width, height = ctypes.c_uint(), ctypes.c_uint()
    pdf.FPDFImageObj_GetImagePixelSize(handle, width, height)
    return width.value, height.value


def _is_drawable(handle: object, width: int, height: int, page: pdfium.PdfPage) -> bool:
    if _shows_something(handle, width, height, page):
        return True
    return width * height <= _MOST_DECODED and _is_decodable(handle)


def _shows_something(handle: object, width: int, height: int, page: pdfium.PdfPage) -> bool:
    """Whether a picture, drawn alone and small, has a point that is not transparent."""
    across, down = (max(_LEAST_SIDE, min(_MOST_SIDE, side // _TRIAL)) for side in (width, height))
    own = pdf.FS_MATRIX()
    pdf.FPDFPageObj_GetMatrix(handle, own)
    pdf.FPDFPageObj_SetMatrix(handle, pdf.FS_MATRIX(across, 0, 0, down, 0, 0))
    bitmap = pdf.FPDFImageObj_GetRenderedBitmap(page.pdf, page, handle)
    pdf.FPDFPageObj_SetMatrix(handle, own)
    if not bitmap:
        return False
    drawn = pdfium.PdfBitmap.from_raw(bitmap).to_pil()  # frees the bitmap with the picture
    return drawn.convert("RGBA").getchannel("A").getbbox() is not None


def _is_decodable(handle: object) -> bool:
    """Whether a picture of which nothing is seen is a transparent one, and not damaged."""
    bitmap = pdf.FPDFImageObj_GetBitmap(handle)
    if not bitmap:
        return False
    pdf.FPDFBitmap_Destroy(bitmap)
    return True
