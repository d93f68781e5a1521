"""Opening a PDF: what is wrong with it is said here, once."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium
import pypdfium2.raw as pdf

from services.transcription.pages.characters import HOLE, clean
from services.transcription.pages.models import OutlineEntry
from shared.errors import InvalidSourceError

PASSWORD = "This PDF is protected by a password. Remove the protection and upload it again."  # noqa: S105 - a sentence
DAMAGED = "This PDF is damaged and could not be repaired. Export it again and upload the new file."
EMPTY = "This PDF has no pages. Export it again and upload the new file."
_MAX_OUTLINE = 5000
_MAX_ANNOTATIONS = 2000
_WRITTEN = frozenset({pdf.FPDF_ANNOT_FREETEXT, pdf.FPDF_ANNOT_STAMP, pdf.FPDF_ANNOT_WIDGET})


@contextmanager
def open_pdf(path: Path) -> Iterator[pdfium.PdfDocument]:
    """The PDF at `path`, repaired in memory where its structure is broken.

    Raises:
        InvalidSourceError: it is protected, beyond repair, or has no pages.
    """
    document = _open(path)
    try:
        if len(document) == 0:
            raise InvalidSourceError(EMPTY)
        document.init_forms()  # fields without a look of their own get one
        yield document
    finally:
        document.close()


def _open(path: Path) -> pdfium.PdfDocument:
    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError:
        # What pdfium names as the reason can be that of an earlier file: only pikepdf's word is taken for it.
        return _repaired(path)
    if len(document) > 0:
        return document
    document.close()
    return _repaired(path)


def _repaired(path: Path) -> pdfium.PdfDocument:
    """A copy with a new cross-reference table, as pikepdf (qpdf) rebuilds it from the objects it finds."""
    copy = io.BytesIO()
    try:
        with pikepdf.open(path, suppress_warnings=True) as broken:
            if len(broken.pages) == 0:
                raise InvalidSourceError(EMPTY)
            broken.save(copy)
        return pdfium.PdfDocument(copy.getvalue())
    except pikepdf.PasswordError as error:
        raise InvalidSourceError(PASSWORD, internal=str(error)) from error
    except (pikepdf.PdfError, pdfium.PdfiumError, ValueError, RuntimeError) as error:
        raise InvalidSourceError(DAMAGED, internal=str(error)) from error


def shown_page(document: pdfium.PdfDocument, index: int) -> pdfium.PdfPage:
    """A page with what was written on it since: filled fields, typed comments and stamps are part of its text.

    Raises:
        pdfium.PdfiumError: the page is damaged.
    """
    page = document[index]
    written = any(_subtype(page, number) in _WRITTEN for number in range(min(_count(page), _MAX_ANNOTATIONS)))
    if not written or pdf.FPDFPage_Flatten(page, pdf.FLAT_NORMALDISPLAY) != pdf.FLATTEN_SUCCESS:
        return page
    page.close()
    return document[index]


def _count(page: pdfium.PdfPage) -> int:
    return int(pdf.FPDFPage_GetAnnotCount(page))


def _subtype(page: pdfium.PdfPage, number: int) -> int:
    annotation = pdf.FPDFPage_GetAnnot(page, number)
    try:
        return int(pdf.FPDFAnnot_GetSubtype(annotation))
    finally:
        pdf.FPDFPage_CloseAnnot(annotation)


def document_title(document: pdfium.PdfDocument, file_name: str) -> str | None:
    """The title in the file's own metadata, unless it is empty or only a file's name."""
    title = _named(str(document.get_metadata_dict().get("Title", "")))
    is_name = title.lower().endswith((".doc", ".docx", ".tex", ".dvi", ".pdf", ".ppt", ".pptx", ".indd", ".odt"))
    return None if is_name or title.lower() in {"", "untitled", file_name.lower()} else title


def document_outline(document: pdfium.PdfDocument, first: int, last: int) -> tuple[OutlineEntry, ...]:
    """The bookmarks that point at the pages `first` to `last`."""
    entries = []
    for count, bookmark in enumerate(document.get_toc(max_depth=6)):
        if count >= _MAX_OUTLINE:
            break
        target = bookmark.get_dest()
        index = target.get_index() if target is not None else None
        title = _named(bookmark.get_title() or "")
        if index is not None and first <= index + 1 <= last and title:
            entries.append(OutlineEntry(title=title, page=index + 1, level=bookmark.level + 1))
    return tuple(entries)


def _named(text: str) -> str:
    """A name that a program wrote into the file. It is no sign on a page: what cannot be shown is nothing."""
    return clean(text).replace(HOLE, "").strip()
