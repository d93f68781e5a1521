"""Pictures of most of a page: a figure where the text stands beside them, a ground where it stands on them (PAG-3)."""

from pathlib import Path

import pytest
from PIL import Image

from services.transcription.pages.join import join_units
from services.transcription.pages.models import JoinedPages, PageOptions
from services.transcription.pages.read import read_pages
from tests.hostile.documents import one_page, stream

FACTS = b"/Type /XObject /Subtype /Image /Width 120 /Height 160 /ColorSpace /DeviceGray /BitsPerComponent 8"
PHOTO = stream(Image.effect_noise((120, 160), 90).tobytes(), FACTS)
CAPTION = "Figure 3: The old mill at the river, drawn in the year of the great flood."
INTRODUCTION = "The mill was built before the town, and its wheel still turns when the river is high."
MOST, WHOLE = b"540 0 0 620 36 120", b"612 0 0 792 0 0"


def line(text: str, x: int, y: int, size: int = 11) -> bytes:
    return b"BT /F %d Tf %d %d Td (%s) Tj ET " % (size, x, y, text.encode())


def read(folder: Path, place: bytes, before: bytes, after: bytes) -> JoinedPages:
    drawing = stream(before + b"q " + place + b" cm /I Do Q " + after)
    one_page(folder / "a.pdf", drawing, PHOTO, resources=b"/XObject << /I 6 0 R >>")
    return join_units([read_pages(folder / "a.pdf", 1, 1, folder, PageOptions(ocr=False))])


BESIDE = (line(INTRODUCTION, 60, 760), line(CAPTION, 60, 90))


@pytest.mark.parametrize("label", [b"", line("wheel", 300, 400, 9)], ids=["bare", "with a label"])
def test_it_is_a_figure_with_its_caption_where_text_stands_beside_it(tmp_path: Path, label: bytes) -> None:
    joined = read(tmp_path, MOST, b"", BESIDE[0] + label + BESIDE[1])
    assert [(block.kind, block.text) for block in joined.blocks] == [
        ("paragraph", INTRODUCTION),
        ("figure", CAPTION),
        ("caption", CAPTION),
    ]
    (image,) = joined.images
    assert image.height > image.width
    assert joined.warnings == ()


def test_the_order_in_which_text_and_picture_are_drawn_does_not_matter(tmp_path: Path) -> None:
    assert len(read(tmp_path, MOST, BESIDE[0] + BESIDE[1], b"").images) == 1


@pytest.mark.parametrize("place", [MOST, WHOLE], ids=["most", "whole"])
@pytest.mark.parametrize("lines", [3, 40], ids=["a few lines", "a page of lines"])
def test_it_is_a_ground_where_the_text_stands_on_it(tmp_path: Path, place: bytes, lines: int) -> None:
    text = b"".join(
        line(f"Line {n} of a page whose text stands on its picture.", 72, 720 - 15 * n) for n in range(lines)
    )
    joined = read(tmp_path, place, b"", text)
    assert joined.images == ()
    assert f"Line {lines - 1} of a page" in joined.blocks[-1].text


def test_a_page_number_beside_it_makes_no_figure_of_a_ground(tmp_path: Path) -> None:
    text = line("The mills of the river and of the town that grew around them", 80, 700) + line("Page 12", 280, 60, 9)
    assert read(tmp_path, MOST, b"", text).images == ()


@pytest.mark.integration
def test_a_caption_that_is_all_of_the_text_keeps_its_figure(tmp_path: Path) -> None:
    one_page(
        tmp_path / "a.pdf",
        stream(b"q " + MOST + b" cm /I Do Q " + line("Figure 3: The old mill", 60, 90, 14)),
        stream(Image.linear_gradient("L").resize((120, 160)).tobytes(), FACTS),
        resources=b"/XObject << /I 6 0 R >>",
    )
    joined = join_units([read_pages(tmp_path / "a.pdf", 1, 1, tmp_path, PageOptions())])
    assert [(block.kind, block.text) for block in joined.blocks] == [
        ("figure", "Figure 3: The old mill"),
        ("caption", "Figure 3: The old mill"),
    ]
