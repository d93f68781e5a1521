"""Scans beside which the file has a little text of its own: stored whole or in strips, they are read (PAG-2)."""

from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from services.transcription.pages.document import open_pdf
from services.transcription.pages.graphics import Graphics, page_graphics
from services.transcription.pages.join import join_units
from services.transcription.pages.models import PageOptions
from services.transcription.pages.read import read_pages
from shared.errors import EngineError
from tests.hostile.documents import one_page, stream

WIDTH, HEIGHT = 1275, 1650
SENTENCE = "The ferry crosses the river at every hour of the day."
STAMP = b"BT /F 9 Tf 72 20 Td (%s) Tj ET "
LONG_STAMP = "Lent by the library of the harbour on the third of May, for study only."


def scan_in_strips(path: Path, count: int, sentences: int, stamp: str, gap: float = 0.0) -> None:
    """A page of `sentences` as `count` pictures that together are it, and `stamp` as text."""
    page = Image.new("L", (WIDTH, HEIGHT), 255)
    font = ImageFont.truetype("DejaVuSans.ttf", 34)
    for row in range(sentences):
        ImageDraw.Draw(page).text((130, 250 + 60 * row), SENTENCE, font=font, fill=0)
    high, strips, drawn = HEIGHT // count, [], []
    for n in range(count):
        strip = page.crop((0, n * high, WIDTH, (n + 1) * high))
        facts = b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8"
        strips.append(stream(strip.tobytes(), facts % strip.size))
        place = 792 / count
        drawn.append(b"q 612 0 0 %.3f 0 %.3f cm /I%d Do Q " % (place - gap, 792 - (n + 1) * place, n))
    names = b" ".join(b"/I%d %d 0 R" % (n, 6 + n) for n in range(count))
    drawing = stream(b"".join(drawn) + STAMP % stamp.encode())
    one_page(path, drawing, *strips, resources=b"/XObject << " + names + b" >>")


def graphics_of(path: Path) -> Graphics:
    with open_pdf(path) as document:
        page = document[0]
        found = page_graphics(page)
        page.close()
    return found


@pytest.mark.parametrize("count", [1, 2, 5])
def test_strips_that_follow_each_other_are_one_picture(tmp_path: Path, count: int) -> None:
    scan_in_strips(tmp_path / "a.pdf", count, 0, "12")
    found = graphics_of(tmp_path / "a.pdf")
    assert (len(found.backgrounds), found.images) == (1, [])


def test_pictures_that_stand_apart_are_several(tmp_path: Path) -> None:
    scan_in_strips(tmp_path / "a.pdf", 3, 0, "12", gap=20)
    found = graphics_of(tmp_path / "a.pdf")
    assert (found.backgrounds, len(found.images)) == ([], 3)


@pytest.mark.integration
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    ("sentences", "stamp"), [(2, "12"), (9, LONG_STAMP)], ids=["few lines, a number", "many lines, a stamp"]
)
def test_a_scan_is_read_beside_a_little_text(tmp_path: Path, count: int, sentences: int, stamp: str) -> None:
    scan_in_strips(tmp_path / "a.pdf", count, sentences, stamp)
    unit = read_pages(tmp_path / "a.pdf", 1, 1, tmp_path, PageOptions())
    joined = join_units([unit])
    assert unit.pages[0].origin == "ocr"
    assert " ".join(block.text for block in joined.blocks).count(SENTENCE) == sentences
    assert joined.images == ()


def test_the_text_beside_a_scan_that_cannot_be_recognised_is_kept_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise EngineError("no engine")

    monkeypatch.setattr("services.transcription.pages.recognition.read_scan", fail)
    scan_in_strips(tmp_path / "a.pdf", 3, 9, LONG_STAMP)
    joined = join_units([read_pages(tmp_path / "a.pdf", 1, 1, tmp_path, PageOptions())])
    assert [block.text for block in joined.blocks] == [LONG_STAMP]
    assert joined.warnings == ("The text of page 1 could not be read reliably and may be wrong.",)
