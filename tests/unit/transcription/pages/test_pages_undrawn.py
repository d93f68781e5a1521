"""A picture that cannot be drawn is told, on a page that is nothing else and beside text (PAG-3)."""

from pathlib import Path

import pytest
from PIL import Image

from services.transcription.pages.document import open_pdf
from services.transcription.pages.graphics import page_graphics
from services.transcription.pages.join import join_units
from services.transcription.pages.models import PageOptions
from services.transcription.pages.read import read_pages
from services.transcription.pages.undrawn import hides_picture
from tests.hostile.documents import claimed_picture, image_bomb, one_page, stream

UNDRAWN = "A picture on page 1 could not be drawn, because it is damaged or too large, and was left out."
SENTENCE = b"BT /F 12 Tf 72 700 Td (The text of this page stands above its picture and can be read.) Tj ET "
# A JPEG that ends after its head, which claims more points than are decoded.
HEAD = b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xdc\xff\xdc\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00\xff\xd9"
CLAIMED = stream(
    HEAD,
    b"/Type /XObject /Subtype /Image /Width 65500 /Height 65500 /ColorSpace /DeviceRGB /BitsPerComponent 8"
    b" /Filter /DCTDecode",
)


def picture_beside_text(path: Path, picture: bytes, extra: bytes = b"") -> None:
    place = b"q 300 0 0 200 100 300 cm /I Do Q"
    one_page(path, stream(SENTENCE + extra + place), picture, resources=b"/XObject << /I 6 0 R >>")


def grey(value: int) -> bytes:
    facts = b"/Type /XObject /Subtype /Image /Width 8 /Height 8 /ColorSpace /DeviceGray /BitsPerComponent 8"
    return stream(bytes([value]) * 64, facts)


@pytest.mark.parametrize("write", [image_bomb, claimed_picture])
def test_a_page_that_is_such_a_picture_is_not_called_empty(tmp_path: Path, write) -> None:
    write(tmp_path / "bomb.pdf")
    unit = read_pages(tmp_path / "bomb.pdf", 1, 1, tmp_path, PageOptions())
    assert join_units([unit]).warnings == (UNDRAWN,)


@pytest.mark.parametrize(("drawn", "shown"), [(b"", 0), (b"100 300 m 400 300 l 300 350 m 320 420 l S ", 1)])
def test_such_a_picture_beside_text_is_told_and_shown_only_with_what_is_drawn_on_it(
    tmp_path: Path, drawn: bytes, shown: int
) -> None:
    picture_beside_text(tmp_path / "a.pdf", CLAIMED, drawn)
    joined = join_units([read_pages(tmp_path / "a.pdf", 1, 1, tmp_path, PageOptions())])
    assert joined.warnings == (UNDRAWN,)
    assert [block.kind for block in joined.blocks if block.kind != "figure"] == ["paragraph"]
    assert len(joined.images) == shown


def test_a_picture_of_one_colour_is_a_picture(tmp_path: Path) -> None:
    for value in (255, 90):
        picture_beside_text(tmp_path / "a.pdf", grey(value))
        joined = join_units([read_pages(tmp_path / "a.pdf", 1, 1, tmp_path, PageOptions())])
        assert joined.warnings == ()
        assert len(joined.images) == 1


def test_a_blank_scan_has_a_picture_that_can_be_drawn(tmp_path: Path) -> None:
    Image.new("L", (850, 1100), 255).save(tmp_path / "blank.pdf", resolution=100)
    with open_pdf(tmp_path / "blank.pdf") as document:
        page = document[0]
        assert not hides_picture(page, page_graphics(page))
        page.close()
