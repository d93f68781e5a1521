"""What ingest refuses by content alone, and what it makes of PDFs. No program is run here."""

import os
import random
import zipfile
from pathlib import Path

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.adapters import recording
from services.ingest.adapters.boxes import read_boxes
from services.ingest.adapters.inspect import inspect_source
from services.ingest.domain import sentences
from services.ingest.domain.content import route
from services.ingest.domain.values import Inspection, Limits
from shared.errors import InvalidSourceError, SourceTooLargeError


@pytest.fixture(autouse=True)
def _no_ffprobe(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("ffprobe was called")

    monkeypatch.setattr(recording, "run_media_tool", refuse)


def inspect(path: Path, limits: Limits | None = None) -> Inspection:
    return inspect_source(path, "lecture.mp4", limits or Limits())


def refusal(path: Path, limits: Limits | None = None) -> str:
    with pytest.raises(InvalidSourceError) as caught:
        inspect(path, limits)
    assert str(path.parent) not in caught.value.public_message
    return caught.value.public_message


TEXTS = {
    "just text\n" * 9: sentences.TEXT,
    '{"a": [1, 2]}': sentences.TEXT,
    "1\n00:00:01,000 --> 00:00:02,000\nhello\n": sentences.TEXT,
    "<!DOCTYPE html><html><body>sign in</body></html>": sentences.WEB_PAGE,
    "<?xml version='1.0'?>\n<html xmlns='x'><head></head></html>": sentences.WEB_PAGE,
    "#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n": sentences.PLAYLIST,
    "\ufeff \n#EXTM3U\nhttp://127.0.0.1/x.ts\n": sentences.PLAYLIST,
    "ffconcat version 1.0\nfile '/etc/passwd'\n": sentences.PLAYLIST,
    "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n": sentences.PLAYLIST,
    "<?xml version='1.0'?>\n<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'></MPD>": sentences.PLAYLIST,
    "<smil><body><video src='a.mp4'/></body></smil>": sentences.PLAYLIST,
    "[playlist]\nFile1=http://127.0.0.1/a.mp3\n": sentences.PLAYLIST,
    "<asx version='3.0'><entry><ref href='http://127.0.0.1/'/></entry></asx>": sentences.PLAYLIST,
    "# mpv EDL v0\n/etc/passwd\n": sentences.PLAYLIST,
    "<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>": sentences.IMAGE,
    "{\\rtf1 hello}": sentences.OFFICE,
}


@pytest.mark.parametrize("text", TEXTS)
def test_text_of_every_sort_is_refused_before_any_program_sees_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "lecture.mp4"
    path.write_text(text)
    assert refusal(path) == TEXTS[text]


@pytest.mark.parametrize(
    ("inside", "sentence"),
    [
        (["[Content_Types].xml", "_rels/.rels", "word/document.xml"], sentences.OFFICE),
        (["[Content_Types].xml", "ppt/presentation.xml"], sentences.OFFICE),
        (["lecture.mp4"], sentences.ARCHIVE),
    ],
)
def test_zips(tmp_path: Path, inside: list[str], sentence: str) -> None:
    path = tmp_path / "lecture.pdf"
    with zipfile.ZipFile(path, "w") as archive:
        for name in inside:
            archive.writestr(name, "content")
    assert refusal(path) == sentence


PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", sentences.EMPTY),
        (PNG, sentences.IMAGE),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0", sentences.IMAGE),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), sentences.OFFICE),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\3", sentences.ARCHIVE),
        (b"\x7fELF\2\1\1" + bytes(9) + b"\2\0\x3e\0" + bytes(60), sentences.PROGRAM),
    ],
)
def test_other_content(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "lecture.mp4"
    path.write_bytes(content)
    assert refusal(path) == sentence


def test_a_sparse_file_is_refused_by_its_size_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lecture.mp4"
    with path.open("wb") as file:
        file.truncate(10_000_000_000)
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("the file was opened"))
    with pytest.raises(SourceTooLargeError) as caught:
        inspect(path)
    assert caught.value.public_message.startswith("This file has 10.0 GB; at most 4.3 GB are accepted.")


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_only_regular_files(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "source"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/etc/passwd")
    assert refusal(path) == sentences.NOT_A_FILE


def pdf(path: Path, pages: int = 3, **saving: object) -> Path:
    document = pikepdf.new()
    for _ in range(pages):
        document.add_blank_page(page_size=(595, 842))
    document.docinfo["/Title"] = "Microsoft Word - Heat \u202eengines.docx"
    document.Root.Lang = "de-DE"
    document.save(path, **saving)
    return path


def test_a_pdf(tmp_path: Path) -> None:
    path = pdf(tmp_path / "lecture.mp4", pages=40)
    found = inspect(path)
    assert (found.kind, found.media_type, found.page_count) == ("document", "application/pdf", 40)
    assert (found.title, found.language, found.path, found.warnings) == ("Heat engines", "de-DE", path, ())


def test_junk_before_a_pdf_is_read_over(tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    path.write_bytes(b"HTTP/1.1 200 OK\r\n\r\n" + pdf(tmp_path / "ok.pdf").read_bytes())
    assert inspect(path).page_count == 3


def test_passwords(tmp_path: Path) -> None:
    user = pdf(tmp_path / "user.pdf", encryption=pikepdf.Encryption(user="u", owner="o"))
    assert refusal(user) == sentences.PDF_LOCKED
    owner = pdf(tmp_path / "owner.pdf", encryption=pikepdf.Encryption(user="", owner="o"))
    assert inspect(owner).page_count == 3


@pytest.mark.parametrize(
    ("text", "refused"), [("Please wait... upgrade to Adobe Reader 8.", True), ("Dear reader", False)]
)
def test_a_form_that_only_another_program_shows(tmp_path: Path, text: str, *, refused: bool) -> None:
    path = tmp_path / "form.pdf"
    with pikepdf.new() as form:
        page = form.add_blank_page()
        font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        page.Contents = form.make_stream(f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET".encode())
        form.Root.AcroForm = form.make_indirect(pikepdf.Dictionary(Fields=[], XFA=form.make_stream(b"<xdp/>")))
        form.Root.NeedsRendering = True
        form.save(path)
    if refused:
        assert "Adobe Reader" in refusal(path)
    else:
        assert inspect(path).page_count == 1


def test_no_pages_even_after_a_locked_one(tmp_path: Path) -> None:
    assert (
        refusal(pdf(tmp_path / "user.pdf", encryption=pikepdf.Encryption(user="u", owner="o"))) == sentences.PDF_LOCKED
    )
    assert refusal(pdf(tmp_path / "zero.pdf", pages=0)) == sentences.PDF_EMPTY


def test_too_many_pages(tmp_path: Path) -> None:
    message = refusal(pdf(tmp_path / "x.pdf", pages=9), Limits(max_pages=8))
    assert message.startswith("This PDF has 9 pages; at most 8 are accepted.")


@pytest.mark.parametrize("keep", [0.5, 0.8])
def test_a_cut_pdf_is_repaired_beside_it(tmp_path: Path, keep: float) -> None:
    modes = {"object_stream_mode": pikepdf.ObjectStreamMode.disable}
    data = pdf(tmp_path / "ok.pdf", pages=30, **modes).read_bytes()
    path = tmp_path / "cut.pdf"
    path.write_bytes(data[: int(len(data) * keep)])
    found = inspect(path)
    assert found.path != path
    assert found.path.parent == tmp_path
    assert found.page_count is not None
    assert 1 <= found.page_count <= 30
    assert sentences.PDF_REPAIRED in found.warnings
    assert path.read_bytes() == data[: int(len(data) * keep)]


@pytest.mark.parametrize("content", [b"%PDF-1.7\n", b"%PDF-1.7\n" + bytes(range(256)) * 40])
def test_a_pdf_beyond_repair(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.pdf"
    path.write_bytes(content)
    assert refusal(path) == sentences.PDF_DAMAGED
    assert [file.name for file in tmp_path.iterdir()] == ["x.pdf"]


def test_a_damaged_pdf_ends_as_pages_or_as_a_sentence(tmp_path: Path) -> None:
    """300 PDFs with bytes changed or missing at random: no other exception, no file left over."""
    chance = random.Random(7)
    whole = pdf(tmp_path / "ok.pdf", pages=5).read_bytes()
    path = tmp_path / "x.pdf"
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 30)):
            data[chance.randrange(5, len(data))] = chance.randrange(256)
        path.write_bytes(data[: chance.randint(len(data) // 2, len(data))])
        try:
            found = inspect(path)
        except InvalidSourceError:
            assert not path.with_name("x.pdf.repaired.pdf").exists()
            continue
        assert found.page_count
        assert found.path.exists()
        path.with_name("x.pdf.repaired.pdf").unlink(missing_ok=True)


def test_a_recording_that_mentions_pdf_is_no_pdf() -> None:
    assert route(b"\0\0\0\x20ftypisom%PDF-1.7", "video/mp4") == "media"


@given(st.binary(max_size=400))
def test_boxes_of_any_bytes_end(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "boxes.bin"
    path.write_bytes(b"\0\0\0\x08ftyp" + content)
    facts = read_boxes(path)
    assert facts is not None
    assert read_boxes(path) == facts
