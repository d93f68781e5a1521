"""What was written on a page after it was made: filled fields, typed comments."""

import pikepdf
import pytest

from services.transcription.pages.join import join_units
from services.transcription.pages.models import PageOptions
from services.transcription.pages.read import read_pages

PAGE = '#set page(width: 15cm, height: 21cm, margin: 2cm)\n#set text(font: "Libertinus Serif", 11pt)\n'
LOOK = "/Helv 11 Tf 0 g"


@pytest.fixture
def written(typeset, tmp_path, known):
    """A function that puts annotations on a page of text, and gives the texts of its blocks."""

    def make(*annotations, fields=0):
        target = tmp_path / "written.pdf"
        with pikepdf.open(typeset(PAGE + known.paragraph(0))) as pdf:
            made = [pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.Annot, **each)) for each in annotations]
            pdf.pages[0].Annots = pikepdf.Array(made)
            font = pikepdf.Dictionary(
                Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
            )
            resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(Helv=font))
            pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array(made[:fields]), DR=resources)
            pdf.save(target)
        return [block.text for block in join_units([read_pages(target, 1, 1, tmp_path, PageOptions(ocr=False))]).blocks]

    return make


def test_a_filled_field_is_text(written, known):
    field = {
        "Subtype": pikepdf.Name.Widget, "FT": pikepdf.Name.Tx, "T": pikepdf.String("where"), "DA": pikepdf.String(LOOK),
        "V": pikepdf.String("Measured at the pier."), "Rect": [60, 60, 300, 80],
    }  # fmt: skip
    assert written(field, fields=1) == [known.paragraph(0), "Measured at the pier."]


def test_a_typed_comment_is_text_and_a_hidden_one_is_not(written, known):
    comment = {
        "Subtype": pikepdf.Name.FreeText, "Contents": pikepdf.String("This is asked every year."),
        "DA": pikepdf.String(LOOK), "Rect": [60, 100, 300, 130],
    }  # fmt: skip
    hidden = comment | {"Contents": pikepdf.String("Nobody sees this."), "F": 2, "Rect": [60, 200, 300, 230]}
    assert written(comment, hidden) == [known.paragraph(0), "This is asked every year."]


def test_links_draw_no_frames(written, known):
    link = {"Subtype": pikepdf.Name.Link, "Rect": [60, 400, 300, 460], "Border": [0, 0, 1]}
    assert written(link, link | {"Rect": [60, 300, 300, 350]}) == [known.paragraph(0)]
