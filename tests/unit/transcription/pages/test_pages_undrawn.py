"""A picture that cannot be drawn is told, on a page that is nothing else and beside text (PAG-3)."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from services.transcription.pages.document import open_pdf
from services.transcription.pages.graphics import page_graphics
from services.transcription.pages.join import join_units
from services.transcription.pages.models import JoinedPages, PageOptions
from services.transcription.pages.read import read_pages
from services.transcription.pages.undrawn import undrawn_pictures
from tests.hostile.documents import claimed_picture, image_bomb, one_page, stream, write_pdf

UNDRAWN = "A picture on page 1 could not be drawn, because it is damaged or too large, and was left out."
SENTENCE = b"BT /F 12 Tf 72 700 Td (The text of this page stands above its picture and can be read.) Tj ET "
# A JPEG that ends after its head, which claims more points than are decoded.
HEAD = b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xdc\xff\xdc\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00\xff\xd9"
CLAIMED = stream(
    HEAD,
    b"/Type /XObject /Subtype /Image /Width 65500 /Height 65500 /ColorSpace /DeviceRGB /BitsPerComponent 8"
    b" /Filter /DCTDecode",
)

FACTS = b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /%s /BitsPerComponent 8"
DAMAGED = stream(b"no picture", FACTS % (120, 160, b"DeviceRGB") + b" /Filter /DCTDecode")
DRAWN = stream(Image.effect_noise((120, 160), 90).tobytes(), FACTS % (120, 160, b"DeviceGray"))
UNPAINTED = stream(
    b"\xff" * 8, b"/Type /XObject /Subtype /Image /Width 8 /Height 8 /ImageMask true /BitsPerComponent 1"
)
LINES = b"".join(
    b"BT /F 12 Tf 72 %d Td (Line %d of a page whose text can be read.) Tj ET " % (740 - 16 * n, n) for n in range(36)
)
READ_ALONE = """
import sys
from pathlib import Path
from services.transcription.pages.join import join_units
from services.transcription.pages.models import PageOptions
from services.transcription.pages.read import read_pages
pdf = Path(sys.argv[1])
joined = join_units([read_pages(pdf, 1, 1, pdf.parent, PageOptions(ocr=False))])
print(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")))
print(*joined.warnings, sep="\\n", end="")
"""
BAND = b"q 0.2 0.4 0.8 rg 0 600 612 192 re f Q "
WHOLE, MOST, SOME, SMALL = b"612 0 0 792 0 0", b"540 0 0 600 36 36", b"400 0 0 300 60 400", b"60 0 0 60 500 20"


def picture_beside_text(path: Path, picture: bytes, extra: bytes = b"") -> None:
    place = b"q 300 0 0 200 100 300 cm /I Do Q"
    one_page(path, stream(SENTENCE + extra + place), picture, resources=b"/XObject << /I 6 0 R >>")


def grey(value: int) -> bytes:
    facts = b"/Type /XObject /Subtype /Image /Width 8 /Height 8 /ColorSpace /DeviceGray /BitsPerComponent 8"
    return stream(bytes([value]) * 64, facts)


def joined_page(path: Path, **options: int) -> JoinedPages:
    return join_units([read_pages(path, 1, 1, path.parent, PageOptions(**options))])


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
        assert undrawn_pictures(page, page_graphics(page)) == []
        page.close()


@pytest.mark.parametrize("place", [WHOLE, MOST, SOME, SMALL], ids=["whole", "most", "some", "small"])
@pytest.mark.parametrize("before", [b"", BAND], ids=["on white", "on a band"])
@pytest.mark.parametrize("picture", [CLAIMED, DAMAGED], ids=["too large", "damaged"])
def test_it_is_told_whatever_its_share_of_the_page_and_whatever_stands_on_it(
    tmp_path: Path, place: bytes, before: bytes, picture: bytes
) -> None:
    drawing = stream(before + b"q " + place + b" cm /I Do Q " + LINES)
    one_page(tmp_path / "a.pdf", drawing, picture, resources=b"/XObject << /I 6 0 R >>")
    joined = joined_page(tmp_path / "a.pdf")
    assert joined.warnings == (UNDRAWN,)
    assert "Line 35 of a page" in " ".join(block.text for block in joined.blocks)


@pytest.mark.parametrize("place", [WHOLE, MOST, SOME, SMALL], ids=["whole", "most", "some", "small"])
@pytest.mark.parametrize("picture", [DRAWN, grey(255), UNPAINTED], ids=["drawn", "blank", "transparent"])
def test_a_picture_that_is_drawn_is_not_told(tmp_path: Path, place: bytes, picture: bytes) -> None:
    drawing = stream(b"q " + place + b" cm /I Do Q " + LINES)
    one_page(tmp_path / "a.pdf", drawing, picture, resources=b"/XObject << /I 6 0 R >>")
    assert joined_page(tmp_path / "a.pdf").warnings == ()


def test_a_picture_within_a_form_that_makes_it_a_thousand_times_smaller_is_told_as_well(tmp_path: Path) -> None:
    facts = b"/Type /XObject /Subtype /Form /BBox [0 0 612000 792000] /Matrix [0.001 0 0 0.001 0 0]"
    form = stream(b"q 600000 0 0 700000 0 0 cm /I Do Q", facts + b" /Resources << /XObject << /I 7 0 R >> >>")
    for picture, told in ((DAMAGED, (UNDRAWN,)), (DRAWN, ())):
        drawing = stream(b"/X Do " + LINES)
        one_page(tmp_path / "a.pdf", drawing, form, picture, resources=b"/XObject << /X 6 0 R >>")
        assert joined_page(tmp_path / "a.pdf").warnings == told


def test_a_background_of_a_slide_is_told(tmp_path: Path) -> None:
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 960 540] /Contents 4 0 R /Resources << %s >> >>"
    text = b"BT /F 40 Tf 60 460 Td (Why bread rises) Tj /F 24 Tf 0 -90 Td (Yeast eats the sugar of the flour) Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        page % b"/Font << /F 5 0 R >> /XObject << /I 6 0 R >>",
        stream(b"q 960 0 0 540 0 0 cm /I Do Q " + text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    write_pdf(tmp_path / "a.pdf", [*objects, DAMAGED])
    joined = joined_page(tmp_path / "a.pdf")
    assert joined.warnings == (UNDRAWN,)
    assert [block.text for block in joined.blocks if block.kind == "heading"] == ["Why bread rises"]


@pytest.mark.integration
def test_a_part_of_a_scan_is_told_where_the_other_part_is_read(tmp_path: Path) -> None:
    upper = Image.new("L", (1275, 825), 255)
    font = ImageFont.truetype("DejaVuSans.ttf", 40)
    for row in range(4):
        sentence = "The upper half of this page can be read."
        ImageDraw.Draw(upper).text((120, 250 + 60 * row), sentence, font=font, fill=0)
    parts = (stream(upper.tobytes(), FACTS % (1275, 825, b"DeviceGray")), DAMAGED)
    drawing = stream(b"q 612 0 0 396 0 396 cm /I Do Q q 612 0 0 396 0 0 cm /J Do Q")
    one_page(tmp_path / "a.pdf", drawing, *parts, resources=b"/XObject << /I 6 0 R /J 7 0 R >>")
    joined = joined_page(tmp_path / "a.pdf")
    assert " ".join(block.text for block in joined.blocks).count("upper half of this page can be read") == 4
    assert joined.warnings == (UNDRAWN,)


def test_a_small_file_with_a_huge_blank_picture_takes_little_memory(tmp_path: Path) -> None:
    side = 9_000
    packed = io.BytesIO()
    Image.new("RGB", (side, side), "white").save(packed, "JPEG2000", tile_size=(1024, 1024))
    assert packed.tell() < 10_000
    picture = stream(packed.getvalue(), FACTS % (side, side, b"DeviceRGB") + b" /Filter /JPXDecode")
    picture_beside_text(tmp_path / "a.pdf", picture)
    said = subprocess.run(
        [sys.executable, "-c", READ_ALONE, tmp_path / "a.pdf"], check=True, capture_output=True, text=True, timeout=60
    )
    most_kb, *warnings = said.stdout.splitlines()
    assert warnings == []
    assert int(most_kb) < 250_000
