"""Slide decks: each slide's title, points and picture, and nothing of the bars around them."""

import pytest

from services.transcription.pages.bullets import with_bullets
from services.transcription.pages.decks import is_deck, slide_pieces
from services.transcription.pages.edges import without_page_numbers
from services.transcription.pages.join import join_units
from services.transcription.pages.lines import Line, without_shadows
from services.transcription.pages.models import PageContent, PageOptions, Piece
from services.transcription.pages.read import read_pages
from services.transcription.pages.tables import is_table

DECK = {
    "Why bread rises": ["Yeast eats the sugar of the flour", "It gives off gas that the dough holds"],
    "What gluten does": [
        "Kneading joins the proteins to a net that is so strong that it holds the gas for hours",
        "Salt",
    ],
    "In the oven": ["The gas grows with the heat", "The crust sets last"],
}
BARS = ("Flour", "Dough", "Bread")


def bar(y, texts):
    width = 16 / len(texts)
    cells = "".join(
        f"#place(top + left, dx: {n * width - 1}cm, dy: {y}cm, rect(width: {width}cm, height: 0.5cm, "
        f'fill: rgb("#22224{n}"), inset: 2pt)[#text(7pt, fill: white)[{text}]])'
        for n, text in enumerate(texts)
    )
    return cells + "\n"


def slide(title, points, number):
    shadowed = f"#place(dx: 2pt, dy: 2pt, text(16pt, fill: luma(60))[{title}])#text(16pt, fill: white)[{title}]"
    head = f"#place(top + left, dx: -1cm, dy: -0.5cm, rect(width: 16cm, height: 1.2cm, inset: 4pt)[{shadowed}])"
    listed = "\n".join(f"#par(hanging-indent: 0.6cm)[#text(9pt)[I] #h(0.2cm)#text(13pt)[{point}]]" for point in points)
    foot = bar(7.5, ("A. Baker", "Bread and its making", f"May 3 {number}/3"))
    return f"#page[{bar(-1, BARS)}{foot}{head}\n#v(1.2cm)\n{listed}]"


@pytest.fixture
def deck(typeset, tmp_path):
    pages = [slide(title, points, number) for number, (title, points) in enumerate(DECK.items(), 1)]
    head = '#set page(width: 16cm, height: 9cm, margin: 1cm)\n#set text(font: "Libertinus Serif")\n'
    return join_units([read_pages(typeset(head + "\n".join(pages)), 1, 9, tmp_path, PageOptions(ocr=False))])


def test_each_slide_is_its_title_its_points_and_its_picture(deck):
    expected = []
    for title, points in DECK.items():
        expected += [("heading", title), *(("list_item", point) for point in points), ("figure", title)]
    assert [(block.kind, block.text) for block in deck.blocks] == expected
    assert all(block.level == 1 for block in deck.blocks if block.kind == "heading")


def test_the_picture_shows_the_whole_slide(deck, tmp_path):
    pictures = [block for block in deck.blocks if block.kind == "figure"]
    assert all(picture.whole_page for picture in pictures)
    assert [picture.box.page for picture in pictures] == [1, 2, 3]
    assert all(round(picture.image.width / picture.image.height, 1) == 1.8 for picture in pictures)
    assert all((tmp_path / picture.image.name).is_file() for picture in pictures)


def test_a_wide_page_in_a_report_is_no_slide(typeset, tmp_path, known):
    pages = [f"#page(width: 15cm, height: 21cm)[= Tides\n{known.paragraph(n, 5)}]" for n in range(3)]
    pages.append("#page(width: 21cm, height: 15cm)[= Harbours\nThe harbours of the coast.]")
    found = join_units([read_pages(typeset("\n".join(pages)), 1, 9, tmp_path, PageOptions(ocr=False))])
    assert not [block for block in found.blocks if block.kind == "figure"]


def line(text, x, y, size=10.0):
    return Line(text, x, y, x + 5 * len(text), y + size, y + 0.8 * size, size)


@pytest.mark.parametrize(
    ("texts", "read"),
    [
        (["I One thing", "I Another"], ["• One thing", "• Another"]),
        (["! One thing", "! Another"], ["• One thing", "• Another"]),
        (["I was there", "and saw it", "I went away"], ["I was there", "and saw it", "I went away"]),
        (["I was there", "It rained"], ["I was there", "It rained"]),
    ],
)
def test_letters_before_every_line_are_bullets(texts, read):
    lines = [line(text, 20, 20 * n) for n, text in enumerate(texts)]
    assert [found.text for found in with_bullets(lines)] == read


def test_a_shadow_is_no_second_line():
    lines = [line("Bread", 20, 20), line("Bread", 22, 22), line("Bread", 20, 90), line("Salt", 21, 21)]
    assert without_shadows(lines) == [lines[0], lines[2], lines[3]]


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        ([("12", 20, 98), ("The crust sets last.", 60, 98)], ["12"]),
        ([("The crust sets last.", 20, 98), ("3 / 9", 160, 98)], ["3 / 9"]),
        ([("The crust sets last.", 20, 50), ("12", 160, 50)], []),
        ([("Flour", 20, 98), ("500", 80, 98), ("grams", 140, 98)], []),
        ([("Flour", 20, 98), ("Salt", 60, 98), ("Yeast", 100, 98), ("12", 140, 98)], []),
    ],
)
def test_page_numbers_at_the_edge_stand_apart(texts, numbers):
    lines = [line(text, x, y) for text, x, y in texts]
    rest, found = without_page_numbers(lines, 110)
    assert [number.text for number in found] == numbers
    assert len(rest) + len(found) == len(lines)


def test_bars_are_no_table():
    assert not is_table((("Flour", "Dough", "Bread"), ("Why bread rises", "", "")))
    assert is_table((("Flour", "Dough"), ("500", "800")))


def piece(text, y, size, **more):
    return Piece(kind="text", text=text, box=(10, y, 90, y + size), size=size, **more)


def test_the_title_is_at_the_top_even_where_a_label_is_larger():
    pieces = [
        piece("What gluten", 8, 20),
        piece("does", 48, 20),
        piece("Salt holds it", 110, 12),
        piece("1979", 150, 30),
    ]
    found, title = slide_pieces(pieces, 200)
    assert title == 0
    assert found[0].text == "What gluten does"
    assert [other.text for other in found[1:]] == ["Salt holds it", "1979"]


def test_a_slide_of_equal_texts_has_no_title():
    assert slide_pieces([piece("Flour", 120, 12), piece("Salt", 140, 12), piece("Yeast", 160, 12)], 200)[1] is None


def test_most_pages_make_a_deck():
    wide = PageContent(number=1, width=160, height=90, origin="text_layer")
    high = PageContent(number=2, width=90, height=160, origin="text_layer")
    assert is_deck([wide, wide, high])
    assert not is_deck([wide, high])
    assert not is_deck([])


MARKS = {
    "above, right": "#place(top + right, dy: -0.7cm)[#text(18pt)[EXAMPLE UNI]]",
    "above, left": "#place(top + left, dy: -0.7cm)[#text(18pt)[EXAMPLE UNI]]",
    "beside": "#place(top + right, dy: 0.1cm)[#text(16pt)[EXAMPLE UNI]]",
}
WITH_SALT = DECK | {"Salt and time": ["Salt slows the yeast", "Time makes the taste"]}


def marked_deck(typeset, folder, mark, titles, title_cm=1.2):
    pages = "\n".join(
        f"#page[{mark}#place(top + left, dy: {title_cm}cm)[#text(16pt)[{title}]]\n#v(3cm)\n"
        + "\n".join(f"- {point}" for point in points)
        + "]"
        for title, points in zip(titles, WITH_SALT.values(), strict=True)
    )
    pdf = typeset(f"#set page(width: 16cm, height: 9cm, margin: 1cm)\n#set text(13pt)\n{pages}")
    joined = join_units([read_pages(pdf, 1, 9, folder, PageOptions(ocr=False))])
    return [(block.kind, block.text) for block in joined.blocks if block.kind in {"heading", "paragraph"}]


@pytest.mark.parametrize("place", MARKS)
def test_a_wordmark_on_every_slide_is_neither_their_title_nor_their_text(typeset, tmp_path, place):
    title_cm = 0.1 if place == "beside" else 1.2
    assert marked_deck(typeset, tmp_path, MARKS[place], WITH_SALT, title_cm) == [
        ("heading", title) for title in WITH_SALT
    ]


def test_a_title_that_is_on_every_slide_stays_their_title(typeset, tmp_path):
    for mark in ("", MARKS["above, right"]):
        assert marked_deck(typeset, tmp_path, mark, ["Bread"] * 4) == [("heading", "Bread")] * 4
