"""A range of pages read: text layer or OCR, tables, figures, in reading order (PAG-1 to PAG-3)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pypdfium2 as pdfium

from services.transcription.pages.arrangement import arranged
from services.transcription.pages.bullets import with_bullets
from services.transcription.pages.characters import HOLE
from services.transcription.pages.decks import is_slide
from services.transcription.pages.document import document_outline, document_title, open_pdf, shown_page
from services.transcription.pages.edges import without_page_numbers
from services.transcription.pages.figures import draw_figure, draw_page, write_figure
from services.transcription.pages.graphics import Graphics, page_graphics
from services.transcription.pages.holes import Holes
from services.transcription.pages.layer import Judgement, has_holes, judge, main_script
from services.transcription.pages.lines import Line, TextPage, area, inside
from services.transcription.pages.models import Box, Doubt, PageContent, PageOptions, PageUnit, Piece
from services.transcription.pages.ocr import read_scan
from services.transcription.pages.paragraphs import is_formula, make_pieces
from services.transcription.pages.recognition import Recognition
from services.transcription.pages.regions import find_regions
from services.transcription.pages.right_to_left import mirrored, mirrored_line, runs_to_left
from services.transcription.pages.rotation import upright
from services.transcription.pages.ruled import ruled_tables
from services.transcription.pages.tables import Table, open_tables
from services.transcription.pages.text_layer import page_text
from services.transcription.pages.undrawn import is_blank, undrawn_pictures
from services.transcription.pages.unruled import unruled_tables
from services.transcription.pages.unseen import without_unseen
from shared.errors import EngineError, EngineLimitError

_FEW_CHARS = 40  # a scan may carry a printed page number or a stamp as its only text
_LITTLE_TEXT = 300  # characters, of a stamp in full sentences


def read_pages(
    pdf: Path,
    first: int,
    last: int,
    output: Path,
    options: PageOptions,
    opened: Callable[[Path], AbstractContextManager[pdfium.PdfDocument]] = open_pdf,
) -> PageUnit:
    """Read the pages `first` to `last` (from 1, both included) of `pdf`; pictures go to `output`/figures.

    A page that cannot be read is in the result with a warning. `opened` opens the file.

    Raises:
        InvalidSourceError: the file is protected, damaged beyond repair, or has no pages.
        EngineLimitError: recognition met a limit.
    """
    with opened(pdf) as document:
        count = len(document)
        numbers = range(max(1, first), min(last, count) + 1)
        recognition = Recognition(options)
        return PageUnit(
            first=first,
            last=last,
            page_count=count,
            title=document_title(document, pdf.stem),
            pages=tuple(_page(document, number, output, recognition) for number in numbers),
            outline=document_outline(document, first, last),
        )


def _page(document: pdfium.PdfDocument, number: int, output: Path, recognition: Recognition) -> PageContent:
    try:
        page = shown_page(document, number - 1)
    except pdfium.PdfiumError:
        return _unreadable(number)
    try:
        return _Page(page, number, output, recognition).read()
    except pdfium.PdfiumError:
        return _unreadable(number)
    finally:
        page.close()


def _unreadable(number: int) -> PageContent:
    warning = f"Page {number} is damaged and could not be read."
    return PageContent(number=number, width=0, height=0, origin="none", warnings=(warning,))


class _Page:
    """One page while it is read."""

    def __init__(self, page: pdfium.PdfPage, number: int, output: Path, recognition: Recognition) -> None:
        self._page = page
        self._number = number
        self._output = output
        self._recognition = recognition
        self._options = recognition.options
        self._warnings: list[str] = []
        self._doubts: list[Doubt] = []
        self._undrawn: list[Box] = []

    def read(self) -> PageContent:
        graphics = page_graphics(self._page)
        text = without_unseen(self._page, page_text(self._page, self._options.max_page_chars), graphics)
        self._undrawn = undrawn_pictures(self._page, graphics)
        if _has_no_text(text, graphics):
            return self._scanned(text, graphics)
        judgement = judge(text)
        doubtful = judgement is Judgement.DOUBTFUL or graphics.hides_text
        if judgement is Judgement.USELESS or (doubtful and self._is_contradicted(text, graphics)):
            self._doubts.append("replaced")
            return self._scanned(text, graphics)
        if _is_pictured(text, graphics) and (found := self._of_scan(text, graphics)):
            return found
        if len(text.raw) >= self._options.max_page_chars:
            self._warnings.append(f"Page {self._number} has too much text; its end was left out.")
        pieces = self._laid_out(text, graphics)
        if has_holes(text):
            pieces = self._filled(pieces, reads_letters=main_script(text.raw) == "latin")
        if any(HOLE in piece.text for piece in pieces):
            self._doubts.append("letters")
        return self._content(text, pieces, "text_layer" if text.lines else "none")

    def _is_contradicted(self, text: TextPage, graphics: Graphics) -> bool:
        try:
            wrong = self._recognition.contradicts(self._page, text, graphics)
        except EngineLimitError:
            raise  # as every other limit that a page meets: tried again, and then missing
        except EngineError:
            self._doubts.append("uncertain")
            return False
        if wrong is None and main_script(text.raw) == "latin":
            self._doubts.append("unchecked")
        return wrong is True

    def _filled(self, pieces: list[Piece], *, reads_letters: bool) -> list[Piece]:
        """`pieces` with the letters that the layer lacks, as far as the page's picture shows them."""
        if reads_letters and self._recognition.available:
            try:
                scan, _ = read_scan(self._page, None, self._options)
            except EngineLimitError:
                raise  # as above
            except EngineError:
                scan = TextPage(width=0, height=0)
            holes = Holes(line.text for line in scan.lines)
            pieces = [holes.filled(piece) for piece in pieces]
        return pieces

    def _scanned(self, text: TextPage, graphics: Graphics) -> PageContent:
        if not self._options.ocr:
            if not self._doubts:
                self._warnings.append(f"Page {self._number} is a picture of text; recognition is switched off.")
            return self._unread(text)
        if not self._recognition.available:
            return self._unread(text)
        try:
            scan, doubts = self._recognition.recognised(self._page, graphics)
        except EngineLimitError:
            raise  # as above
        except EngineError:
            self._warnings.append(f"The text on page {self._number} could not be recognised.")
            return self._unread(text)
        if not scan.lines:
            self._doubts = list(doubts)
            return self._content(text, [], "none" if self._doubts or self._undrawn else "ocr")
        return self._recognised(text, graphics, scan, doubts)

    def _of_scan(self, text: TextPage, graphics: Graphics) -> PageContent | None:
        """The page read as a scan, where its picture says far more than the little text beside it."""
        if not self._recognition.available:
            return None
        try:
            found = self._recognition.more_than(text, self._page, graphics)
        except EngineLimitError:
            raise  # as above
        except EngineError:
            self._doubts.append("uncertain")
            return None
        return self._recognised(text, graphics, *found) if found else None

    def _recognised(self, text: TextPage, graphics: Graphics, scan: TextPage, doubts: list[Doubt]) -> PageContent:
        self._doubts += doubts
        pictures = Graphics(images=graphics.images, backgrounds=graphics.backgrounds)
        return self._content(text, self._laid_out(scan, pictures), "ocr")

    def _unread(self, text: TextPage) -> PageContent:
        self._doubts = ["unread"]
        return self._content(text, [], "none")

    def _laid_out(self, text: TextPage, graphics: Graphics) -> list[Piece]:
        """The page's pieces; on a page of sideways text without its drawings, whose places would not fit."""
        turned = upright(text)
        if not turned.turned:
            return self._pieces(turned.text, graphics, self._tables(turned.text, graphics))
        pieces = self._pieces(turned.text, Graphics(), [])
        return [piece.model_copy(update={"box": _rounded(turned.back(piece.box))}) for piece in pieces]

    def _tables(self, text: TextPage, graphics: Graphics) -> list[Table]:
        if not self._options.tables:
            return []
        ruled = ruled_tables(self._page, graphics)
        ruled += open_tables(self._page, graphics, text, [box for box, _ in ruled])
        drawn = [box for box, _ in ruled] + graphics.images + graphics.frames
        unruled, irregular = unruled_tables(text, drawn) if text.height > text.width else ([], False)
        if irregular:
            self._doubts.append("table")
        return ruled + unruled

    def _pieces(self, text: TextPage, graphics: Graphics, tables: list[Table]) -> list[Piece]:
        """Everything on the page as pieces in reading order."""
        boxes = [box for box, _ in tables]
        regions = find_regions(graphics, text, boxes)
        figures = regions.figures[: self._options.figures_per_page]
        lines = [line for line in text.lines if not any(inside(line.box, box) for box in boxes + figures)]
        if text.width > text.height:
            lines = with_bullets(lines)
        lines, numbers = without_page_numbers(lines, text.height)
        for group, aside in enumerate(regions.asides, start=1):
            for line in lines:
                if inside(line.box, aside):
                    line.group = group
        solid = [Piece(kind="table", text=table_text(rows), box=_rounded(box), rows=rows) for box, rows in tables]
        found = (self._figure(box, index) for index, box in enumerate(figures, start=1))
        solid += [figure for figure in found if figure]
        apart = [piece for line in numbers for piece in make_pieces([(line, (line.x0, line.x1))], text.body_size)]
        if not runs_to_left(text):
            return self._arranged(lines, solid, regions.asides, text.body_size) + apart
        width = text.width
        solid = [piece.model_copy(update={"box": mirrored(piece.box, width)}) for piece in solid]
        asides = [mirrored(box, width) for box in regions.asides]
        pieces = self._arranged([mirrored_line(line, width) for line in lines], solid, asides, text.body_size)
        return [piece.model_copy(update={"box": _rounded(mirrored(piece.box, width))}) for piece in pieces] + apart

    def _arranged(self, lines: list[Line], solid: list[Piece], asides: list[Box], body: float) -> list[Piece]:
        pieces, across = arranged(lines, solid, asides, body)
        if across:
            self._doubts.append("order")
        return pieces

    def _figure(self, box: Box, index: int) -> Piece | None:
        drawn = draw_figure(self._page, box, self._options.figure_dpi)
        if is_blank(drawn.picture) and any(inside(where, drawn.box) for where in self._undrawn):
            return None
        image = write_figure(drawn, self._output, f"figures/p{self._number:04d}-{index}.png")
        return Piece(kind="figure", text="", box=_rounded(box), image=image)

    def _slide(self, text: TextPage) -> list[Piece]:
        """The picture of the whole page, for a deck of which it may be a slide."""
        if self._options.figures_per_page == 0:
            return []
        image = write_figure(draw_page(self._page), self._output, f"figures/p{self._number:04d}.png")
        return [
            Piece(kind="figure", text="", box=_rounded((0, 0, text.width, text.height)), image=image, whole_page=True)
        ]

    def _content(self, text: TextPage, pieces: list[Piece], origin: str) -> PageContent:
        if any(is_formula(piece) for piece in pieces):
            self._doubts.append("formulas")
        if self._undrawn:
            self._doubts.append("undrawn")
        if pieces and is_slide(text.width, text.height, pieces):
            pieces = pieces + self._slide(text)
        return PageContent.model_validate(
            {
                "number": self._number,
                "width": round(text.width, 1),
                "height": round(text.height, 1),
                "origin": origin,
                "pieces": tuple(pieces),
                "warnings": tuple(self._warnings),
                "doubts": tuple(dict.fromkeys(self._doubts)),
            }
        )


def _has_no_text(text: TextPage, graphics: Graphics) -> bool:
    """Whether the page shows something but its text layer says (almost) nothing of it."""
    chars = sum(not char.isspace() for char in text.raw)
    if chars == 0:
        return not graphics.empty
    pictured = sum(area(box) for box in graphics.images + graphics.backgrounds)
    return chars < _FEW_CHARS and pictured > 0.5 * text.width * text.height


def _is_pictured(text: TextPage, graphics: Graphics) -> bool:
    """Whether an upright page is a picture with a little text: a scan with a stamp, or a photograph."""
    chars = sum(not char.isspace() for char in text.raw)
    return bool(graphics.backgrounds) and chars < _LITTLE_TEXT and text.height > text.width


def table_text(rows: tuple[tuple[str, ...], ...]) -> str:
    """A table's cells as text: a line a row."""
    return "\n".join(" | ".join(row) for row in rows)


def _rounded(box: Box) -> Box:
    return (round(box[0], 1), round(box[1], 1), round(box[2], 1), round(box[3], 1))
