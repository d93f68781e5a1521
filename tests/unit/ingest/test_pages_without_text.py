"""Pages that have to be recognised are known before they are read: they come in short units, and not without end."""

import time
from pathlib import Path

import pytest

from services.ingest.adapters.inspect import inspect_source
from services.ingest.adapters.text_layer import pages_without_fonts
from services.ingest.domain.values import Limits
from shared.errors import SourceTooLargeError
from tests.hostile import documents
from tests.hostile.documents import one_page, pages_of, stream

DRAWS = stream(b"q 612 0 0 792 0 0 cm /X Do Q")
FORM = b"/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << %s >>"
NAMES_X = b"/XObject << /X 6 0 R >>"


def test_a_page_of_text_has_a_font_and_a_picture_has_none(tmp_path: Path) -> None:
    documents.text_pages(tmp_path / "text.pdf", 20)
    assert pages_without_fonts(tmp_path / "text.pdf") == frozenset()
    pages_of(tmp_path / "drawn.pdf", [b"0 0 1 rg 100 100 300 300 re f"] * 3)
    assert pages_without_fonts(tmp_path / "drawn.pdf") == {1, 2, 3}


@pytest.mark.parametrize(("inside", "found"), [(b"/Font << /F 4 0 R >>", True), (b"", False)])
def test_text_may_stand_in_a_form(tmp_path: Path, inside: bytes, found: bool) -> None:
    path = tmp_path / "form.pdf"
    pages_of(path, [b"/X Do"], stream(b"", FORM % inside), resources=b"/XObject << /X 4 0 R >>")
    assert (1 not in pages_without_fonts(path)) is found


def test_a_font_may_be_named_by_the_tree_above_the_page(tmp_path: Path) -> None:
    documents.write_pdf(
        tmp_path / "inherited.pdf",
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 /Resources << /Font << /F 5 0 R >> >> >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>",
            stream(b"BT /F 12 Tf 72 700 Td (There is text here.) Tj ET"),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        ],
    )
    assert pages_without_fonts(tmp_path / "inherited.pdf") == frozenset()


def test_forms_that_name_each_other_are_looked_at_once(tmp_path: Path) -> None:
    path = tmp_path / "ring.pdf"
    forms = [stream(b"/X Do", FORM % (b"/XObject << /X %d 0 R >>" % other)) for other in (5, 4)]
    pages_of(path, [b"/X Do"], *forms, resources=b"/XObject << /X 4 0 R >>")
    assert pages_without_fonts(path) == {1}


@pytest.mark.parametrize("resources", [b"/XObject 7", b"/XObject << /X 99 0 R >>", b"/Font null"])
def test_faulty_resources_are_no_fault_of_the_file(tmp_path: Path, resources: bytes) -> None:
    one_page(tmp_path / "odd.pdf", DRAWS, resources=resources)
    assert pages_without_fonts(tmp_path / "odd.pdf") <= {1}
    (tmp_path / "no.pdf").write_bytes(b"%PDF-1.7 and nothing else")
    assert pages_without_fonts(tmp_path / "no.pdf") == frozenset()


def test_thousands_of_pages_to_recognise_are_refused_at_once(tmp_path: Path) -> None:
    documents.many_pages(tmp_path / "scans.pdf")
    began = time.monotonic()
    with pytest.raises(SourceTooLargeError, match=r"3000 pages of this PDF are pictures .*; at most 1000") as refused:
        inspect_source(tmp_path / "scans.pdf", "scans.pdf", Limits())
    assert refused.value.public_message.endswith("Split it into parts.")
    assert time.monotonic() - began < 30
