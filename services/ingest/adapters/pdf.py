"""Opening a PDF: pdfium decides what can be read, pikepdf repairs what pdfium refuses."""

from pathlib import Path
from typing import NamedTuple

import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium

from services.ingest.adapters.text_layer import pages_without_fonts
from services.ingest.domain import sentences
from services.ingest.domain.values import Inspection, Limits
from shared.errors import InvalidSourceError, SourceTooLargeError
from shared.names import clean_title

MEDIA_TYPE = "application/pdf"
_SHELL_PAGES, _SHELL_CHARACTERS = 2, 1500


class _PdfFacts(NamedTuple):
    page_count: int
    unreadable: list[int]
    title: str | None
    language: str | None


def inspect_pdf(path: Path, limits: Limits) -> Inspection:
    """Facts about the PDF at `path`; if it had to be repaired, about the repaired copy beside it.

    Raises InvalidSourceError for a PDF that is locked, empty or beyond repair, SourceTooLargeError for one of too many
    pages, or of too many that have to be recognised. One that only its owner's password protects opens like
    any other.
    """
    usable, warnings = path, []
    facts = _read(path, limits)
    if facts is None or facts.unreadable:
        repaired = _repair(path)
        better = _read(repaired, limits) if repaired else None
        if repaired and better and (facts is None or len(better.unreadable) < len(facts.unreadable)):
            usable, facts = repaired, better
            warnings.append(sentences.PDF_REPAIRED)
        elif repaired:
            repaired.unlink()
    if facts is None or 0 < facts.page_count == len(facts.unreadable):
        raise InvalidSourceError(sentences.PDF_DAMAGED)
    if facts.page_count == 0:
        raise InvalidSourceError(sentences.PDF_EMPTY)
    scanned = pages_without_fonts(usable)
    if len(scanned) > limits.max_scanned_pages:
        raise SourceTooLargeError(sentences.too_many_scans(len(scanned), limits.max_scanned_pages))
    if facts.unreadable:
        warnings.append(sentences.unreadable_pages(facts.unreadable))
    return Inspection(
        path=usable,
        kind="document",
        media_type=MEDIA_TYPE,
        size=usable.stat().st_size,
        title=facts.title,
        language=facts.language,
        page_count=facts.page_count,
        scanned_pages=scanned,
        warnings=tuple(warnings),
    )


def _read(path: Path, limits: Limits) -> _PdfFacts | None:
    """What pdfium finds, or None if it cannot open the file at all."""
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError:
        return None  # why is for pikepdf to say: pdfium's error code can be one left over from an earlier file
    try:
        page_count = len(document)
        if page_count > limits.max_pages:
            raise SourceTooLargeError(sentences.too_many_pages(page_count, limits.max_pages))
        if _is_form_shell(document):
            raise InvalidSourceError(sentences.PDF_FORM)
        unreadable = [number for number in range(1, page_count + 1) if not _page_opens(document, number)]
        title = clean_title(document.get_metadata_dict().get("Title"))
        return _PdfFacts(page_count, unreadable, title, _language(document))
    finally:
        document.close()


def _is_form_shell(document: pypdfium2.PdfDocument) -> bool:
    """Whether all that can be read is the page that asks for another program ("Please wait..."), as XFA forms have."""
    if pdfium.FPDF_GetFormType(document.raw) != pdfium.FORMTYPE_XFA_FULL or not 0 < len(document) <= _SHELL_PAGES:
        return False
    try:
        page = document[0]
        textpage = page.get_textpage()
    except pypdfium2.PdfiumError:
        return False
    try:
        text = textpage.get_text_range()
    finally:
        textpage.close()
        page.close()
    return len(text) < _SHELL_CHARACTERS and "Adobe" in text


def _page_opens(document: pypdfium2.PdfDocument, number: int) -> bool:
    """Whether the page is there and has a size; its content is not parsed, so thousands of pages cost milliseconds."""
    try:
        width, height = document.get_page_size(number - 1)
    except pypdfium2.PdfiumError:
        return False
    return bool(width > 0 and height > 0)


def _language(document: pypdfium2.PdfDocument) -> str | None:
    """The catalog's `/Lang`, if it looks like a language tag."""
    length = pdfium.FPDFCatalog_GetLanguage(document.raw, None, 0)
    if not 2 < length <= 64:
        return None
    buffer = (pdfium.FPDF_WCHAR * (length // 2))()
    pdfium.FPDFCatalog_GetLanguage(document.raw, buffer, length)
    tag = bytes(buffer).decode("utf-16-le", "ignore").rstrip("\0").strip()
    return tag if tag.isascii() and tag.replace("-", "").isalnum() else None


def _repair(path: Path) -> Path | None:
    """A repaired copy beside `path` (rebuilt cross-references, cut tail closed), or None if nothing can be saved.

    Raises InvalidSourceError where repair is not what is missing: a password, pages.
    """
    repaired = path.with_name(f"{path.name}.repaired.pdf")
    try:
        with pikepdf.open(path, attempt_recovery=True, suppress_warnings=True) as document:
            if len(document.pages) == 0:
                raise InvalidSourceError(sentences.PDF_EMPTY)
            document.save(repaired)
    except pikepdf.PasswordError as error:
        raise InvalidSourceError(sentences.PDF_LOCKED) from error
    except (pikepdf.PdfError, RuntimeError, ValueError) as error:
        repaired.unlink(missing_ok=True)
        if "encrypt" in str(error).lower():  # a scheme without a password, such as a publisher's
            raise InvalidSourceError(sentences.PDF_LOCKED, internal=str(error)) from error
        return None
    return repaired
