"""The text of a page, a character for each of pdfium's indices."""

import ctypes

import pypdfium2.raw as pdf

from services.transcription.pages.characters import HOLE

_HYPHEN = "\ufffe"  # pdfium's mark for a hyphen at a line's end, and for some glyphs without a character


def read_units(handle: object, count: int) -> str:
    """The first `count` UTF-16 units of a text page, with a mark for each glyph that has no character.

    pdfium leaves some glyphs without a character out of its text, so that the text is shorter than its indices.
    """
    if count <= 0:
        return ""
    buffer = (ctypes.c_ushort * (2 * count + 1))()
    written = max(0, pdf.FPDFText_GetText(handle, 0, count, buffer) - 1)
    text = bytes(buffer)[: 2 * written].decode("utf-16-le", "surrogatepass")
    if len(text) != written:
        text = "".join(map(chr, buffer[:written]))
    if len(text) < count:
        return _unit_by_unit(handle, count, text)
    return _with_holes(handle, text) if _HYPHEN in text and len(text) == count else text


def whole(units: str) -> str:
    """`units` with the two halves of characters beyond the basic plane made one."""
    if units.isascii():
        return units
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _unit_by_unit(handle: object, count: int, text: str) -> str:
    """The units by their indices, where they agree with `text` except for glyphs without a character."""
    codes = [pdf.FPDFText_GetUnicode(handle, index) for index in range(count)]
    units = "".join(chr(code) if code else HOLE for code in codes if code <= 0xFFFF)
    return _with_holes(handle, units) if len(units) == count and units.replace(HOLE, "") == text else text


def _with_holes(handle: object, units: str) -> str:
    """pdfium gives the same mark for a glyph without a character as for a hyphen at a line's end."""
    return "".join(
        HOLE if unit == _HYPHEN and pdf.FPDFText_IsHyphen(handle, index) != 1 else unit
        for index, unit in enumerate(units)
    )
