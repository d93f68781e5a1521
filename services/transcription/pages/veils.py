"""Objects of a page by which its text may not be seen."""

import ctypes

import pypdfium2.raw as pdf

_PALE, _FAINT = 225, 30  # of 255; to be looked at, not yet judged
_LEAST_WIDTH_PT, _LEAST_HEIGHT_PT = 15.0, 6.0
_MOST_MARKS = 32  # around a text; thousands around each of thousands would take minutes


def is_veiled(handle: object) -> bool:
    """Whether a text object may not be seen: pale, transparent, without ink, or on a layer that can be put aside."""
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if pdf.FPDFTextObj_GetTextRenderMode(handle) == pdf.FPDF_TEXTRENDERMODE_INVISIBLE:
        return True
    coloured = pdf.FPDFPageObj_GetFillColor(handle, red, green, blue, alpha)
    if coloured and (min(red.value, green.value, blue.value) > _PALE or alpha.value < _FAINT):
        return True
    marks = pdf.FPDFPageObj_CountMarks(handle)
    return marks > _MOST_MARKS or any(_is_layer(pdf.FPDFPageObj_GetMark(handle, n)) for n in range(marks))


def _is_layer(mark: object) -> bool:
    name, length = (ctypes.c_ushort * 3)(), ctypes.c_ulong()
    return bool(pdf.FPDFPageObjMark_GetName(mark, name, 6, length)) and bytes(name) == "OC\0".encode("utf-16-le")


def is_cover(handle: object, width: float, height: float) -> bool:
    """Whether a path of this size in points is filled, and can hide a line of text that was drawn before."""
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    filled = pdf.FPDFPath_GetDrawMode(handle, fill, stroke) and fill.value != pdf.FPDF_FILLMODE_NONE
    return bool(filled) and width > _LEAST_WIDTH_PT and height > _LEAST_HEIGHT_PT
