"""What is drawn on a page beside text: pictures, rules, frames and the marks of drawings, through pdfium."""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, field

import pypdfium2 as pdfium
import pypdfium2.raw as pdf

from services.transcription.pages.lines import area
from services.transcription.pages.models import Box
from services.transcription.pages.strips import in_whole
from services.transcription.pages.text_layer import Place, page_place
from services.transcription.pages.veils import is_cover, is_veiled

_MAX_OBJECTS = 60_000  # a map can have millions; what comes after does not change what the page shows at a glance
_MAX_DEPTH = 6
_MAX_SEGMENTS = 2000
_RULE_PT = 2.5
_BACKGROUND = 0.6  # of the page: larger pictures and frames are what the rest stands on

Matrix = tuple[float, float, float, float, float, float]


@dataclass
class Graphics:
    """Boxes of a page's drawings. `marks` are paths that are neither a rule nor a frame.

    `veiled` says that some of the text may not be seen, being pale, covered or put aside.
    `pictures` are pdfium's own handles of the images, each with its box; they hold while the page is open.
    """

    images: list[Box] = field(default_factory=list)
    backgrounds: list[Box] = field(default_factory=list)
    rules_across: list[Box] = field(default_factory=list)
    rules_down: list[Box] = field(default_factory=list)
    frames: list[Box] = field(default_factory=list)
    marks: list[Box] = field(default_factory=list)
    pictures: list[tuple[Box, object]] = field(default_factory=list)
    texts: int = 0
    hidden_texts: int = 0
    veiled: bool = False

    @property
    def hides_text(self) -> bool:
        """Whether the page is a picture, and its text what a scanner's program recognised and nobody sees."""
        return bool(self.backgrounds) and self.texts > 0 and self.hidden_texts > 0.8 * self.texts

    @property
    def empty(self) -> bool:
        """Whether nothing at all is drawn."""
        return not (self.images or self.backgrounds or self.frames or self.marks or self.rules_across)


def page_graphics(page: pdfium.PdfPage) -> Graphics:
    """The drawings of `page`, in points from the top left corner as displayed."""
    width, height, _, place = page_place(page)
    found = Graphics()
    collector = _Collector(found, place, width, height)
    for kind, handle, matrix in _objects(page.raw):
        if kind == pdf.FPDF_PAGEOBJ_TEXT:
            found.texts += 1
            found.veiled = found.veiled or is_veiled(handle)
            found.hidden_texts += pdf.FPDFTextObj_GetTextRenderMode(handle) == pdf.FPDF_TEXTRENDERMODE_INVISIBLE
        elif kind in {pdf.FPDF_PAGEOBJ_IMAGE, pdf.FPDF_PAGEOBJ_PATH, pdf.FPDF_PAGEOBJ_SHADING}:
            collector.add(kind, handle, matrix)
    for whole, strips in in_whole(found.images, width):
        if area(whole) > _BACKGROUND * width * height:
            found.images = [box for box in found.images if box not in strips]
            found.backgrounds.append(whole)
    return found


def _objects(page: object) -> Iterator[tuple[int, object, Matrix | None]]:
    """Objects of a page and of the forms on it, with the form's matrix (None on the page itself)."""
    stack: list[tuple[object, Matrix | None, int]] = []
    seen = 0
    for index in range(min(pdf.FPDFPage_CountObjects(page), _MAX_OBJECTS)):
        stack.append((pdf.FPDFPage_GetObject(page, index), None, 0))
        while stack and seen < _MAX_OBJECTS:
            handle, matrix, depth = stack.pop()
            seen += 1
            kind = pdf.FPDFPageObj_GetType(handle)
            if kind != pdf.FPDF_PAGEOBJ_FORM:
                yield kind, handle, matrix
            elif depth < _MAX_DEPTH:
                inner = _matrix(handle, matrix)
                count = min(pdf.FPDFFormObj_CountObjects(handle), _MAX_OBJECTS)
                stack.extend((pdf.FPDFFormObj_GetObject(handle, i), inner, depth + 1) for i in range(count))
        stack.clear()


def _matrix(handle: object, outer: Matrix | None) -> Matrix:
    raw = pdf.FS_MATRIX()
    pdf.FPDFPageObj_GetMatrix(handle, ctypes.byref(raw))
    own = (raw.a, raw.b, raw.c, raw.d, raw.e, raw.f)
    return own if outer is None else _times(own, outer)


def _times(one: Matrix, other: Matrix) -> Matrix:
    a, b, c, d, e, f = one
    p, q, r, s, t, u = other
    return (a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u)


class _Collector:
    """Sorts objects into a `Graphics`."""

    def __init__(self, found: Graphics, place: Place, width: float, height: float) -> None:
        self._found = found
        self._place = place
        self._page: Box = (0.0, 0.0, width, height)
        self._quad = tuple(ctypes.c_float() for _ in range(4))
        self._refs = tuple(ctypes.byref(value) for value in self._quad)

    def add(self, kind: int, handle: object, matrix: Matrix | None) -> None:
        """Sort one image, path or shading by its bounds on the page."""
        if not pdf.FPDFPageObj_GetBounds(handle, *self._refs):
            return
        box = self._clip(self._box(matrix))
        if box is None:
            return
        if kind == pdf.FPDF_PAGEOBJ_PATH and self._found.texts and is_cover(handle, box[2] - box[0], box[3] - box[1]):
            self._found.veiled = True
        if kind == pdf.FPDF_PAGEOBJ_IMAGE:
            self._found.pictures.append((box, handle))
            if area(box) > _BACKGROUND * area(self._page):
                self._found.backgrounds.append(box)
                self._found.hidden_texts = self._found.texts  # what was drawn before lies under it
            else:
                self._found.images.append(box)
        elif kind == pdf.FPDF_PAGEOBJ_PATH:
            self._path(handle, box, matrix)

    def _box(self, matrix: Matrix | None) -> Box:
        left, bottom, right, top = (value.value for value in self._quad)
        corners = [(left, bottom), (left, top), (right, bottom), (right, top)]
        if matrix is not None:
            corners = [_through(matrix, x, y) for x, y in corners]
        return self._shown(corners)

    def _clip(self, box: Box) -> Box | None:
        x0, y0 = max(0.0, box[0]), max(0.0, box[1])
        x1, y1 = min(self._page[2], box[2]), min(self._page[3], box[3])
        return (x0, y0, x1, y1) if x1 >= x0 and y1 >= y0 else None

    def _path(self, handle: object, box: Box, matrix: Matrix | None) -> None:
        width, height = box[2] - box[0], box[3] - box[1]
        found = self._found
        if height <= _RULE_PT and width >= 15:
            found.rules_across.append(box)
        elif width <= _RULE_PT and height >= 8:
            found.rules_down.append(box)
        elif area(box) > _BACKGROUND * area(self._page):
            return
        else:
            self._shape(handle, box, matrix)

    def _shape(self, handle: object, box: Box, matrix: Matrix | None) -> None:
        """A frame, a grid drawn as one path (its sides become rules), or a mark."""
        count = pdf.FPDFPath_CountSegments(handle)
        sides = self._sides(handle, count, matrix) if count <= _MAX_SEGMENTS else None
        if sides is None or (count <= 6 and (box[2] - box[0] < 15 or box[3] - box[1] < 8)):
            self._found.marks.append(box)
        elif count <= 6:
            self._found.frames.append(box)
        else:
            for side in sides:
                wide = side[2] - side[0] >= side[3] - side[1]
                (self._found.rules_across if wide else self._found.rules_down).append(side)

    def _sides(self, handle: object, count: int, matrix: Matrix | None) -> list[Box] | None:
        """The sides of a path that runs along the axes only; None for any other."""
        x, y = ctypes.c_float(), ctypes.c_float()
        start = before = (0.0, 0.0)
        sides = []
        for index in range(count):
            segment = pdf.FPDFPath_GetPathSegment(handle, index)
            kind = pdf.FPDFPathSegment_GetType(segment)
            if kind == pdf.FPDF_SEGMENT_BEZIERTO:
                return None
            pdf.FPDFPathSegment_GetPoint(segment, ctypes.byref(x), ctypes.byref(y))
            here = (x.value, y.value)
            if kind == pdf.FPDF_SEGMENT_MOVETO:
                start = here
            else:
                sides.append((before, here))
            if pdf.FPDFPathSegment_GetClose(segment):
                sides.append((here, start))
            before = here
        if any(min(abs(a[0] - b[0]), abs(a[1] - b[1])) > 0.5 for a, b in sides):
            return None
        own = _matrix(handle, matrix)  # points are in the path's own space, unlike its bounds
        return [self._shown([_through(own, *a), _through(own, *b)]) for a, b in sides]

    def _shown(self, corners: list[tuple[float, float]]) -> Box:
        points = [self._place(x, y) for x, y in corners]
        xs, ys = [x for x, _ in points], [y for _, y in points]
        return (min(xs), min(ys), max(xs), max(ys))


def _through(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return (a * x + c * y + e, b * x + d * y + f)
