"""Lines of a page's text layer through pdfium.

Calls into pdfium cost about a microsecond each, so characters are asked for one by one only on lines whose runs
leave a gap (columns, tables); every other line costs a dozen calls.
"""

import ctypes
import itertools
import re
from collections.abc import Callable, Iterator

import pypdfium2 as pdfium
import pypdfium2.raw as pdf

from services.transcription.pages.characters import clean
from services.transcription.pages.exponents import MAY_BE_RAISED, is_raised, raised
from services.transcription.pages.glyph_text import read_units, whole
from services.transcription.pages.lines import Line, TextPage, font_size, inside, union, without_shadows
from services.transcription.pages.models import Box
from services.transcription.pages.right_to_left import (
    cut_at_gaps,
    has_right_to_left,
    with_paired_brackets,
    with_words_to_left,
)
from services.transcription.pages.rotation import runs_down

_HYPHENS = "\x02\ufffe\u00ad"  # pdfium's two marks for a hyphen at a line's end, and the typesetter's own
_LINE = re.compile(f"[^\r\n{_HYPHENS}]+[{_HYPHENS}]?")
_NUMBER_OF_LINE = re.compile(r"\d{1,4}\s+(?=\S)")  # of code, in whatever font
_BOLD = re.compile(rb"bold|black|heavy|demi|cmbx|cmssbx|-bd|semib", re.IGNORECASE)
_MONO = re.compile(rb"mono|courier|cmtt|consol|code", re.IGNORECASE)
_MATH = re.compile(rb"math|cmmi|cmsy|cmex|symbol|stix", re.IGNORECASE)
_FORCE_BOLD = 1 << 18
_GAP_EM = 1.0  # a wider gap between two runs on a baseline separates columns or cells; justified spaces stay below
_CELL_GAP_EM = 0.42  # a space is 0.2 to 0.33 em where lines are not justified, and cells are not
_MAX_TABLE_CHARS = 30_000
_WIDE_EM = 0.8  # a run wider than this per character hides a gap inside
_UNLIKELY_SIZE = 0.45  # of the height of glyphs: fonts of drawn glyphs (Type 3) name sizes in units of their own

Corner = tuple[float, float]
Place = Callable[[float, float], Corner]


def page_place(page: pdfium.PdfPage) -> tuple[float, float, int, Place]:
    """Width and height as displayed, the page's rotation, and the mapping from PDF space to displayed points."""
    left, bottom, right, top = page.get_bbox()
    rotation = page.get_rotation()
    width, height = page.get_size()
    places: dict[int, Place] = {
        0: lambda x, y: (x - left, top - y),
        90: lambda x, y: (y - bottom, x - left),
        180: lambda x, y: (right - x, y - bottom),
        270: lambda x, y: (top - y, right - x),
    }
    return width, height, rotation, places[rotation]


def unplace(page: pdfium.PdfPage, box: Box) -> Box:
    """A displayed box as left, bottom, right, top in PDF space."""
    left, bottom, right, top = page.get_bbox()
    x0, y0, x1, y1 = box
    boxes = {
        0: (left + x0, top - y1, left + x1, top - y0),
        90: (left + y0, bottom + x0, left + y1, bottom + x1),
        180: (right - x1, bottom + y0, right - x0, bottom + y1),
        270: (right - y1, top - x1, right - y0, top - x0),
    }
    return boxes[page.get_rotation()]


def page_text(page: pdfium.PdfPage, max_chars: int) -> TextPage:
    """The lines of `page` (of its first `max_chars` characters), in the order of the file; none from off the page."""
    width, height, rotation, place = page_place(page)
    textpage = page.get_textpage()
    try:
        reader = _Reader(textpage.raw, place, rotation, max_chars)
        lines = list(reader.lines())
    finally:
        textpage.close()
    shown = without_shadows([line for line in lines if inside(line.box, (0.0, 0.0, width, height))])
    raw = reader.text if len(shown) == len(lines) else "\n".join(line.text for line in shown)
    return TextPage(
        width=width, height=height, lines=with_paired_brackets(shown), raw=raw, fonts=frozenset(reader.fonts)
    )


def page_words(page: pdfium.PdfPage, boxes: list[Box]) -> list[Line]:
    """The text in `boxes`, cut at every gap wider than a space, as the cells of a table need it."""
    _, _, rotation, place = page_place(page)
    textpage = page.get_textpage()
    try:
        reader = _Reader(textpage.raw, place, rotation, max_chars=_MAX_TABLE_CHARS, gap_em=_CELL_GAP_EM)
        return [line for line in reader.lines() if any(inside(line.box, box) for box in boxes)]
    finally:
        textpage.close()


class _Reader:
    """Buffers for one page's calls, so that none is allocated per character."""

    def __init__(self, handle: object, place: Place, rotation: int, max_chars: int, gap_em: float = _GAP_EM) -> None:
        self._handle = handle
        self._place = place
        self._rotation = rotation
        self._gap_em = gap_em
        self._quad = tuple(ctypes.c_double() for _ in range(4))
        self._refs = tuple(ctypes.byref(value) for value in self._quad)
        self._matrix = pdf.FS_MATRIX()
        self._matrix_ref = ctypes.byref(self._matrix)
        self._flags = ctypes.c_int()
        self._true_size: float | None = None  # of the line at hand, where what its font says cannot be
        self._name = ctypes.create_string_buffer(128)
        self.fonts: set[bytes] = set()
        self._count = min(pdf.FPDFText_CountChars(handle), max_chars)
        self._units = self._turned(read_units(handle, self._count))
        self.text = whole(self._units)

    def _turned(self, units: str) -> str:
        """`units` with the words of scripts that run to the left in the order in which they are read."""
        return with_words_to_left(units, self._centre) if len(units) == self._count else units

    def _centre(self, index: int) -> float:
        return sum(self._edges(index)) / 2

    def lines(self) -> Iterator[Line]:
        """Each line, cut at wide gaps."""
        aligned = len(self._units) == self._count
        for match in _LINE.finditer(self._units):
            start, end = match.span()
            if not aligned:
                start = self._char_index(start)
                end = self._char_index(end - 1) + 1
            if start < 0 or end <= start:
                continue
            yield from self._line(match.group(), start, end)

    def _char_index(self, text_index: int) -> int:
        return int(pdf.FPDFText_GetCharIndexFromTextIndex(self._handle, text_index))

    def _line(self, text: str, start: int, end: int) -> Iterator[Line]:
        stripped = text.strip()
        if not stripped:
            return
        lead = len(text) - len(text.lstrip())
        self._true_size = None
        size, angle, _ = self._look(start + lead)
        aligned = end - start == len(text)
        rects = self._rects(start + lead, len(stripped)) if aligned else self._rects(start, end - start)
        if not rects:
            return
        if angle == 0:
            self._true_size = _size_by_glyphs(stripped, rects, size)
            size = self._true_size or size
        if angle == 0 and aligned and self._has_gap(rects, stripped, size):
            for piece, from_index, boxes in self._cut(text, start, size):
                yield from self._finish(piece, from_index, from_index + len(piece), boxes)
        else:
            yield from self._finish(text, start, end, rects)

    def _has_gap(self, rects: list[tuple[float, ...]], text: str, size: float) -> bool:
        if self._gap_em < _GAP_EM:
            return True
        for one, other in itertools.pairwise(rects):
            if not -size < other[0] - one[2] < self._gap_em * size:
                return True
        width = max(r[2] for r in rects) - min(r[0] for r in rects)
        return width > _WIDE_EM * size * len(text)

    def _rects(self, start: int, count: int) -> list[tuple[float, ...]]:
        """Boxes (left, top, right, bottom as displayed) of the runs of these characters."""
        found = []
        left, top, right, bottom = self._quad
        for index in range(pdf.FPDFText_CountRects(self._handle, start, count)):
            pdf.FPDFText_GetRect(self._handle, index, *self._refs)
            found.append(self._displayed(left.value, bottom.value, right.value, top.value))
        return found

    def _displayed(self, left: float, bottom: float, right: float, top: float) -> tuple[float, ...]:
        xa, ya = self._place(left, bottom)
        xb, yb = self._place(right, top)
        return (min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb))

    def _cut(self, text: str, start: int, size: float) -> Iterator[tuple[str, int, list[tuple[float, ...]]]]:
        """Parts of a line between wide gaps, character by character."""
        left, right, bottom, top = self._quad
        if has_right_to_left(text):
            yield from self._cut_right_to_left(text, start, size)
            return
        begin, boxes = 0, list[tuple[float, ...]]()
        for offset, char in enumerate(text):
            if char.isspace() or char in _HYPHENS:
                continue
            pdf.FPDFText_GetCharBox(self._handle, start + offset, *self._refs)
            box = self._displayed(left.value, bottom.value, right.value, top.value)
            if boxes and not -size < box[0] - boxes[-1][2] < self._gap_em * size:
                yield text[begin:offset], start + begin, boxes
                begin, boxes = offset, []
            boxes.append(box)
        if boxes:
            yield text[begin:], start + begin, boxes

    def _cut_right_to_left(
        self, text: str, start: int, size: float
    ) -> Iterator[tuple[str, int, list[tuple[float, ...]]]]:
        """Parts of a line some of whose words run to the left, so that neighbours in the text lie apart."""
        left, right, bottom, top = self._quad
        placed = []
        for offset, char in enumerate(text):
            if not char.isspace():
                pdf.FPDFText_GetCharBox(self._handle, start + offset, *self._refs)
                placed.append((offset, self._displayed(left.value, bottom.value, right.value, top.value)))
        for part in cut_at_gaps(placed, self._gap_em * size):
            begin, end = part[0][0], part[-1][0] + 1
            yield text[begin:end], start + begin, [box for _, box in part]

    def _look(self, index: int) -> tuple[float, int, float]:
        """Font size in points, reading direction and baseline (as displayed) at a character."""
        size = self._true_size or pdf.FPDFText_GetFontSize(self._handle, index)
        if not pdf.FPDFText_GetMatrix(self._handle, index, self._matrix_ref):
            return size, 0, 0.0
        matrix = self._matrix
        scale = 1.0 if self._true_size else (matrix.c * matrix.c + matrix.d * matrix.d) ** 0.5
        along = max((matrix.a, 0), (-matrix.a, 180), (-matrix.b, 90), (matrix.b, 270))[1]
        return round(size * scale, 1), (along + self._rotation) % 360, self._place(matrix.e, matrix.f)[1]

    def _with_exponents(self, text: str, start: int) -> str:
        """`text` with the digits that stand raised after others as such: 10³ is no 103."""
        for match in MAY_BE_RAISED.finditer(text):
            size, _, baseline = self._look(start + match.start() - 1)
            for index in reversed(range(*match.span())):  # an exponent ends its number
                digit_size, _, digit_baseline = self._look(start + index)
                if not is_raised(digit_size, baseline - digit_baseline, size):
                    break
                text = text[:index] + raised(text[index]) + text[index + 1 :]
        return text

    def _font(self, index: int) -> tuple[bool, bool, bool]:
        length = pdf.FPDFText_GetFontInfo(self._handle, index, self._name, 128, ctypes.byref(self._flags))
        name = self._name.raw[: max(0, length - 1)] if length <= 128 else b""
        self.fonts.add(name)
        bold = bool(self._flags.value & _FORCE_BOLD) or _BOLD.search(name) is not None
        mono = _MONO.search(name) is not None or bool(self._flags.value & 1)
        return bold, mono, _MATH.search(name) is not None

    def _edges(self, index: int) -> tuple[float, float]:
        left, right, bottom, top = self._quad
        pdf.FPDFText_GetCharBox(self._handle, index, *self._refs)
        box = self._displayed(left.value, bottom.value, right.value, top.value)
        return box[0], box[2]

    def _finish(self, text: str, start: int, end: int, boxes: list[tuple[float, ...]]) -> Iterator[Line]:
        if end - start == len(text) and MAY_BE_RAISED.search(text):
            text = self._with_exponents(text, start)
        cleaned = clean(whole(text.rstrip(_HYPHENS)))
        if not cleaned:
            return
        stripped = len(text.rstrip().rstrip(_HYPHENS))
        first = start + len(text) - len(text.lstrip())
        last = max(first, start + stripped - 1) if end - start == len(text) else end - 1
        samples = [self._look(index) for index in (first, (first + last) // 2, last)]
        number = _NUMBER_OF_LINE.match(text[first - start :]) if end - start == len(text) else None
        fonts = [self._font(first + (number.end() if number else 0)), self._font(last)]
        # The largest: what is smaller in a line is code, an exponent or a mark within it. A bullet may be any size.
        size = max(sample[0] for sample in (samples if cleaned[0].isalnum() else samples[1:]))
        _, angle, baseline = sorted(samples)[1]
        x0, y0, x1, y1 = union([(b[0], b[1], b[2], b[3]) for b in boxes])
        if size <= 0 or x1 <= x0:
            return
        if angle == 0 and runs_down(cleaned, (x0, y0, x1, y1)):
            angle = 90
        if not y0 - size <= baseline <= y1 + size:
            baseline = y1
        if not cleaned.strip(". …"):  # a row of dots is as high as the words that it leads from
            y0 = min(y0, baseline - 0.7 * size)
        yield Line(
            text=cleaned,
            x0=round(x0, 1),
            y0=round(y0, 1),
            x1=round(x1, 1),
            y1=round(y1, 1),
            baseline=round(baseline, 1),
            size=size,
            bold=all(bold for bold, _, _ in fonts),
            mono=all(mono for _, mono, _ in fonts),
            math=any(math for _, _, math in fonts),
            angle=angle,
            hyphen=text.rstrip()[-1] in _HYPHENS,
        )


def _size_by_glyphs(text: str, rects: list[tuple[float, ...]], size: float) -> float | None:
    """The font size that the height of a line's glyphs tells, where it is far from the `size` that is named."""
    height = max(bottom - top for _, top, _, bottom in rects)
    if height <= 0 or not any(char.isalnum() for char in text):
        return None
    told = round(font_size(text, height), 1)
    far_too_large = size > 4 * told and sum(char.isalpha() for char in text) >= 3
    return told if size < _UNLIKELY_SIZE * height or far_too_large else None
