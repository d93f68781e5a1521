"""Slide decks as study material: a section a slide, with what stands on it."""

import datetime as dt

import pytest

from services.analysis.offline import analyse
from services.analysis.offline.standalone import NOT_QUOTABLE, is_attribution, line_fault
from services.rendering.domain.handout import Handout
from services.rendering.domain.view import view_of
from shared.documents import SourceDocument

SOURCE = {"name": "bread.pdf", "media_type": "application/pdf", "size": 1, "sha256": "0" * 64}
DECK = {
    1: ("Why bread rises", ["Yeast eats the sugar of the flour.", "Its gas is held by the dough."]),
    2: ("What gluten does", ["Kneading joins the proteins to a net", "But, sadly, rye has little of it"]),
    3: ("What gluten does (cont.)", ["Salt makes the net firmer"]),
    4: ("In the oven", []),
}
CREDIT = "Source: Bakers' Yearbook. The chemistry of the crust in forty pictures. All rights reserved."


def deck():
    blocks = []
    for page, (title, points) in DECK.items():
        box = {"page": page, "x0": 0, "y0": 0, "x1": 160, "y1": 90}
        texts = [("heading", title), *(("list_item", point) for point in points), ("paragraph", CREDIT)]
        blocks += [
            {"kind": kind, "id": f"p{page}b{n}", "text": text, "box": box, "level": 1 if kind == "heading" else None}
            for n, (kind, text) in enumerate(texts, 1)
        ]
        image = {"name": f"figures/p{page:04d}.png", "sha256": "0" * 64, "size": 1, "width": 16, "height": 9}
        picture = {"kind": "figure", "id": f"p{page}b9", "text": title, "box": box, "image": image, "whole_page": True}
        blocks.append(picture)
    return SourceDocument.model_validate({"kind": "document", "source": SOURCE, "page_count": 4, "blocks": blocks})


def test_each_slide_is_a_section_with_its_points_and_picture():
    guide = analyse(deck())
    assert [section.title.text for section in guide.sections] == ["Why bread rises", "What gluten does", "In the oven"]
    assert [[point.text for point in section.key_points] for section in guide.sections] == [
        DECK[1][1],
        DECK[2][1] + DECK[3][1],
        [],
    ]
    assert [section.illustrations for section in guide.sections] == [("p1b9",), ("p2b9", "p3b9"), ("p4b9",)]


def test_points_stand_beside_their_slide_in_the_handout(tmp_path):
    document = deck()
    view = view_of(Handout(document, analyse(document), None, tmp_path, dt.date(2026, 1, 2)))
    rows = [(row.pictures[0].caption, [point.text for point in row.points]) for row in view.sections[1].rows]
    assert rows == [("Slide 2", DECK[2][1]), ("Slide 3", DECK[3][1])]
    assert view.sections[0].rows[0].pictures[0].alt == "Slide 1. Why bread rises"


def test_where_something_comes_from_is_no_point():
    guide = analyse(deck())
    quoted = [claim.text for claim in guide.summary] + [p.text for s in guide.sections for p in s.key_points]
    assert not [text for text in quoted if "chemistry" in text or "Yearbook" in text]


@pytest.mark.parametrize(
    ("text", "attribution"),
    [
        (CREDIT, True),
        ("Courtesy of the Museum of Bread. Used with permission.", True),
        ("© Museum of Bread", True),
        ("Sources of yeast are air and grain.", False),
        ("Copyright protects recipes only in part.", False),
        ("Figures from 2010 show that rye is rare.", False),
    ],
)
def test_attributions(text, attribution):
    assert is_attribution(text) is attribution
    assert (line_fault(text) >= NOT_QUOTABLE) is attribution


def test_what_could_not_be_read_is_not_quoted():
    assert line_fault("The dough rests for \ufffd20 minutes") >= NOT_QUOTABLE
