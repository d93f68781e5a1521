"""Listings in the handout, and handouts of sources that are written from right to left."""

import datetime as dt

import pypdfium2 as pdfium
import pytest

from services.rendering.domain.handout import Handout
from services.rendering.domain.rendering import render
from services.rendering.domain.text import clean_lines, runs_to_left
from shared.documents import Claim, Engine, PageBox, Section, Source, SourceDocument, StudyGuide, TextBlock

CODE = "# no heading\nfor day in days:\n    if day > 2:\n        print('```', day)\n\n        <b>&amp;"
BOX = PageBox(page=1, x0=0, y0=0, x1=100, y1=100)


@pytest.fixture
def made(tmp_path):
    def make(text):
        blocks = (
            TextBlock(kind="paragraph", id="p1b1", text=text, box=BOX),
            TextBlock(kind="code", id="p1b2", text=CODE, box=BOX),
        )
        source = Source(name="script.pdf", media_type="application/pdf", size=1, sha256="0" * 64)
        claim = Claim(text=text, blocks=("p1b1",))
        guide = StudyGuide(
            title="Days",
            engine=Engine(name="x", offline=True),
            sections=(
                Section(id="s1", title=claim, key_points=(claim,), illustrations=("p1b2",), blocks=("p1b1", "p1b2")),
            ),
        )
        document = SourceDocument(kind="document", source=source, page_count=1, blocks=blocks)
        handout = Handout(
            document=document, guide=guide, transcript=None, images=tmp_path, created_on=dt.date(2026, 1, 2)
        )
        return {artifact.name: artifact.path for artifact in render(handout, tmp_path / "out")}

    return make


def test_a_listing_keeps_its_lines_and_blanks_and_is_never_markup(made):
    files = made("The days are counted here.")
    markdown = files["handout.md"].read_text()
    assert f"````\n{CODE}\n````" in markdown
    html = files["handout.html"].read_text()
    assert "    if day &gt; 2:\n" in html
    assert "&lt;b&gt;&amp;amp;" in html
    with pdfium.PdfDocument(files["handout.pdf"]) as pdf:
        text = pdf[0].get_textpage().get_text_range()
    assert "for day in days:" in text
    assert "# no heading" in text


def test_a_hebrew_source_is_set_from_the_right(made):
    files = made("הגאות באה פעמיים ביום אל החוף.")
    assert 'dir="rtl"' in files["handout.html"].read_text()
    with pdfium.PdfDocument(files["handout.pdf"]) as pdf:
        page = pdf[0]
        textpage = page.get_textpage()
        text = textpage.get_text_range()
        places = [textpage.get_charbox(i) for i, char in enumerate(text) if "\u05d0" <= char <= "\u05ea"]
        assert max(box[2] for box in places) > 0.8 * page.get_width()


def test_the_direction_of_text():
    assert runs_to_left("הגאות באה פעמיים tide")
    assert not runs_to_left("The word הגאות means tide")
    assert not runs_to_left("")


def test_lines_are_cleaned_one_by_one():
    assert clean_lines("\n  a\tb \n\n\u202ec\x00\n") == "  a    b\n\nc"
