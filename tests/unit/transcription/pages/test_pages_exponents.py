"""A number with an exponent is not read as another number."""

import pikepdf
import pytest

from services.transcription.pages.join import join_units
from services.transcription.pages.models import PageOptions
from services.transcription.pages.read import read_pages

HEAD = '#set page(width: 12cm, height: 15cm)\n#set text(font: "Libertinus Serif", 10pt)\n'


def blocks(pdf, tmp_path):
    return [block.text for block in join_units([read_pages(pdf, 1, 1, tmp_path, PageOptions(ocr=False))]).blocks]


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("The star is 10#super[21] metres away.", "The star is 10²¹ metres away."),
        ("It needs 6 × 10#super[−34] joule seconds.", "It needs 6 × 10⁻³⁴ joule seconds."),
        ("Each has 4 m#super[2] of glass.", "Each has 4 m² of glass."),
        ("The lens was Dutch.#super[7] Others copied it.", "The lens was Dutch.⁷ Others copied it."),
        ("Water is H#sub[2]O in 1608 and in 2024.", "Water is H2O in 1608 and in 2024."),
    ],
)
def test_raised_digits_stay_raised(typeset, tmp_path, markup, text):
    set_small = "#set super(typographic: false)\n#set sub(typographic: false)\n"
    assert blocks(typeset(HEAD + set_small + markup), tmp_path) == [text]


def drawn(tmp_path, content):
    pdf = pikepdf.new()
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    page = pdf.add_blank_page(page_size=(300, 400))
    page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F=font))
    page.Contents = pdf.make_stream(content)
    pdf.save(tmp_path / "raised.pdf")
    return blocks(tmp_path / "raised.pdf", tmp_path)


def test_digits_raised_within_a_run_of_text(tmp_path):
    content = b"BT /F 12 Tf 40 150 Td (A gram of it holds 10) Tj /F 7 Tf 5 Ts (22) Tj /F 12 Tf 0 Ts ( atoms.) Tj ET"
    assert drawn(tmp_path, content) == ["A gram of it holds 10²² atoms."]


@pytest.mark.parametrize("matrix", [b"0 0 0 0 40 150 Tm", b"1 0 0 0 40 150 Tm", b"0 0 0 1 40 150 Tm"])
def test_letters_without_a_size_are_no_fault(tmp_path, matrix):
    content = b"BT /F 12 Tf 40 250 Td (It holds) Tj ET BT /F 0 Tf 40 150 Td (a10 b20) Tj /F 12 Tf ( 30) Tj ET"
    content += b" BT /F 12 Tf " + matrix + b" (a10 b20) Tj ET"
    assert "It holds" in " ".join(drawn(tmp_path, content))
