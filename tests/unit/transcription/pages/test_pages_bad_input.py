"""PDFs that cannot be read, or only in part (SRC-6)."""

import pikepdf
import pytest

from services.transcription.pages.join import join_units
from services.transcription.pages.models import PageOptions
from services.transcription.pages.read import read_pages
from shared.errors import InvalidSourceError

OPTIONS = PageOptions(ocr=False)


def read(pdf, tmp_path):
    return read_pages(pdf, 1, 20, tmp_path, OPTIONS)


def test_password(two_columns, tmp_path):
    locked = tmp_path / "locked.pdf"
    with pikepdf.open(two_columns) as pdf:
        pdf.save(locked, encryption=pikepdf.Encryption(user="secret", owner="secret"))
    with pytest.raises(InvalidSourceError) as caught:
        read(locked, tmp_path)
    assert caught.value.public_message == (
        "This PDF is protected by a password. Remove the protection and upload it again."
    )


def test_owner_password_alone_is_no_obstacle(two_columns, tmp_path):
    locked = tmp_path / "owner.pdf"
    with pikepdf.open(two_columns) as pdf:
        pdf.save(locked, encryption=pikepdf.Encryption(user="", owner="secret"))
    assert read(locked, tmp_path).pages[0].pieces


def test_no_pages(tmp_path):
    empty = tmp_path / "empty.pdf"
    with pikepdf.new() as pdf:
        pdf.save(empty)
    with pytest.raises(InvalidSourceError, match="no pages"):
        read(empty, tmp_path)


@pytest.mark.parametrize("data", [b"", b"plain text", b"%PDF-1.7\n%%EOF", b"%PDF-1.4\n" + bytes(5000)])
def test_not_a_pdf(tmp_path, data):
    path = tmp_path / "false.pdf"
    path.write_bytes(data)
    with pytest.raises(InvalidSourceError) as caught:
        read(path, tmp_path)
    assert str(path) not in caught.value.public_message


def test_a_cut_tail_is_repaired(two_columns, tmp_path):
    cut = tmp_path / "cut.pdf"
    plain = tmp_path / "plain.pdf"
    with pikepdf.open(two_columns) as pdf:
        pdf.save(plain, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    data = plain.read_bytes()
    cut.write_bytes(data[: data.rindex(b"startxref")])
    unit = read(cut, tmp_path)
    assert unit.page_count == 3
    assert any("On Tides and Harbours" in piece.text for piece in unit.pages[0].pieces)


def test_a_page_without_its_content_is_only_empty(two_columns, tmp_path):
    holed = tmp_path / "holed.pdf"
    with pikepdf.open(two_columns) as pdf:
        pdf.pages[1].obj.Contents = pikepdf.Stream(pdf, b"\x00\xff not content at all ( ( (")
        pdf.save(holed)
    unit = read(holed, tmp_path)
    assert len(unit.pages) == 3
    assert not unit.pages[1].pieces
    assert unit.pages[2].pieces


def test_pages_beyond_the_end_are_left_out(two_columns, tmp_path):
    assert [page.number for page in read_pages(two_columns, 3, 40, tmp_path, OPTIONS).pages] == [3]
    assert read_pages(two_columns, 40, 60, tmp_path, OPTIONS).pages == ()


def test_nothing_joins_to_an_empty_document():
    result = join_units([])
    assert result.blocks == ()
    assert result.title is None
