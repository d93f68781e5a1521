"""What a page does not show is not in its handout."""

import pikepdf
import pytest

from services.transcription.pages import veils
from services.transcription.pages.join import join_units
from services.transcription.pages.models import PageOptions
from services.transcription.pages.read import read_pages

SEEN = ["Salt was carried over the pass on mules.", "Each mule bore two sacks of it."]
FIRST = b"BT /F 11 Tf 40 350 Td (" + SEEN[0].encode() + b") Tj ET "
SECRET = b"BT /F 11 Tf 40 300 Td (The answer to the third task is nine.) Tj ET "
LAST = b"BT /F 11 Tf 40 250 Td (" + SEEN[1].encode() + b") Tj ET "


def read(tmp_path, content, *, on=True):
    pdf = pikepdf.new()
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    layer = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name="Answers"))
    states = pikepdf.Dictionary(**{"ON" if on else "OFF": [layer], "Order": [layer]})
    pdf.Root.OCProperties = pikepdf.Dictionary(OCGs=[layer], D=states)
    page = pdf.add_blank_page(page_size=(300, 400))
    page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F=font), Properties=pikepdf.Dictionary(L=layer))
    page.Contents = pdf.make_stream(FIRST + content + LAST)
    pdf.save(tmp_path / "page.pdf")
    unit = read_pages(tmp_path / "page.pdf", 1, 1, tmp_path, PageOptions(ocr=False))
    return " ".join(block.text for block in join_units([unit]).blocks)


@pytest.mark.parametrize(
    "hidden",
    [
        b"3 Tr " + SECRET + b"0 Tr ",
        b"1 g " + SECRET + b"0 g ",
        SECRET + b"0 g 30 295 240 18 re f ",
        b"0.8 g 30 295 240 18 re f " + SECRET + b"0 g ",
    ],
    ids=["no ink", "white on white", "under a bar", "grey on grey"],
)
def test_text_without_ink_of_its_own_is_left_out(tmp_path, hidden):
    assert read(tmp_path, hidden) == " ".join(SEEN)


@pytest.mark.parametrize("on", [True, False])
def test_a_layer_counts_while_it_is_shown(tmp_path, on):
    assert ("third task" in read(tmp_path, b"/OC /L BDC " + SECRET + b"EMC ", on=on)) == on


@pytest.mark.parametrize(
    "shown",
    [b"0 0 0.4 rg 30 295 240 18 re f 1 g " + SECRET + b"0 g ", b"0.85 g " + SECRET + b"0 g "],
    ids=["white on blue", "light grey"],
)
def test_pale_text_that_is_seen_stays(tmp_path, shown):
    assert "third task" in read(tmp_path, shown)


@pytest.mark.parametrize("on", [True, False])
def test_a_layer_is_known_within_more_marks_than_are_looked_at(tmp_path, on, monkeypatch):
    asked = []
    name_of_mark = veils.pdf.FPDFPageObjMark_GetName
    monkeypatch.setattr(veils.pdf, "FPDFPageObjMark_GetName", lambda *args: asked.append(1) or name_of_mark(*args))
    content = b"/P BMC " * 500 + b"/OC /L BDC " + SECRET + b"EMC " + b"EMC " * 500
    assert ("third task" in read(tmp_path, content, on=on)) == on
    assert len(asked) <= 32
