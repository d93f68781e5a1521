"""Columns that stand close together are read in the file's own order, or told."""

from typing import get_args

import pytest

from services.transcription.pages.arrangement import arranged, reads_across
from services.transcription.pages.join import join_units
from services.transcription.pages.lines import Line
from services.transcription.pages.models import Doubt, PageContent, PageOptions, Piece
from services.transcription.pages.notices import notices
from services.transcription.pages.read import read_pages

HEAD = '#set page(width: 15cm, height: 21cm, margin: 1cm)\n#set text(font: "Libertinus Serif", 8pt)\n'
PAIRS = (("bow", "front"), ("stern", "back"), ("keel", "bottom"))


def texts(typeset, tmp_path, body):
    joined = join_units([read_pages(typeset(HEAD + body), 1, 1, tmp_path, PageOptions(ocr=False))])
    return [block.text for block in joined.blocks], joined.warnings


@pytest.mark.parametrize("gutter", [3, 5])
def test_narrow_gutters(typeset, tmp_path, known, gutter):
    columns = [known.paragraph(start, 9) for start in range(3)]
    cells = ", ".join(f"[{column}]" for column in columns)
    body = f"#set par(justify: true)\n#grid(columns: (1fr, 1fr, 1fr), gutter: {gutter}pt, {cells})"
    assert texts(typeset, tmp_path, body) == (columns, ())


def test_scattered_boxes(typeset, tmp_path, known):
    places = [(0, 1, 3.5), (4, 0, 5), (9.4, 1.5, 3.4), (0, 9, 6), (6.4, 8, 3), (9.8, 10, 3)]
    boxes = [known.paragraph(number, 6) for number in range(len(places))]
    body = "".join(
        f"#place(top + left, dx: {x}cm, dy: {y}cm)[#box(width: {width}cm)[{text}]]"
        for (x, y, width), text in zip(places, boxes, strict=True)
    )
    found, warnings = texts(typeset, tmp_path, body)
    assert " ".join(found) == " ".join(boxes)
    assert not warnings


def placed(text, x, row, width):
    return Line(text, x, 20 + 12 * row, x + width, 30 + 12 * row, 28 + 12 * row, 10)


def columns_of(known):
    """Two columns of nine lines, 3 points apart."""
    words = [[known.sentences[(row + column) % 5][:45] for row in range(9)] for column in range(2)]
    return [[placed(text, 20 + 203 * c, row, 200) for row, text in enumerate(column)] for c, column in enumerate(words)]


def test_lines_that_the_file_has_row_by_row_are_told(known):
    left, right = columns_of(known)
    by_rows = [line for pair in zip(left, right, strict=True) for line in pair]
    assert reads_across(by_rows)
    assert not reads_across(left + right)
    assert arranged(by_rows, [], [], 10)[1]
    assert not arranged(left + right, [], [], 10)[1]


def test_figures_keep_their_place_in_the_file_s_order(known):
    left, right = columns_of(known)
    below = Piece(kind="figure", text="", box=(20, 140, 220, 200))
    above = Piece(kind="figure", text="", box=(223, 0, 423, 15))
    pieces, _ = arranged(left + right, [below, above], [], 10)
    kinds = [piece.kind for piece in pieces]
    assert kinds[0] == "figure"
    assert kinds.count("figure") == 2
    assert pieces[kinds.index("figure", 1) - 1].box[0] == 20


def test_cells_of_a_table_are_no_columns():
    cells = [placed(f"{row}{column}0.25", 20 + 60 * column, row, 40) for row in range(9) for column in range(5)]
    assert not reads_across(cells)


def test_each_doubt_has_its_sentence():
    for doubt in get_args(Doubt):
        page = PageContent(number=4, width=1, height=1, origin="none", doubts=(doubt,))
        assert "page 4" in notices([page])[0]


@pytest.mark.parametrize("box", ["#block", "#rect(width: 100%)"])
def test_short_lists_beside_each_other_are_read_one_after_the_other(typeset, tmp_path, box):
    lists = "[*Sail*\n- wind\n- no fuel but much patience], [*Steam*\n- coal\n- any weather\n- a crew of forty to feed]"
    page = "#set page(width: 24cm, height: 13.5cm)\n#set text(18pt)\n#text(28pt)[Two Ships]\n\n"
    pdf = typeset(f"{page}{box}[#grid(columns: (1fr, 1fr), gutter: 1cm, {lists})]")
    joined = join_units([read_pages(pdf, 1, 1, tmp_path, PageOptions(ocr=False))])
    read = [block.text for block in joined.blocks if block.kind != "figure"]
    assert read == [
        "Two Ships",
        "Sail",
        "wind",
        "no fuel but much patience",
        "Steam",
        "coal",
        "any weather",
        "a crew of forty to feed",
    ]


@pytest.mark.parametrize("by_rows", [True, False])
def test_names_and_what_they_mean_stay_beside_each_other(by_rows):
    rows = [[placed(text, 20 + 200 * c, row, 40) for c, text in enumerate(pair)] for row, pair in enumerate(PAIRS)]
    lines = [line for row in rows for line in row] if by_rows else [row[c] for c in range(2) for row in rows]
    read = " ".join(piece.text for piece in arranged(lines, [], [], 10)[0])
    assert read == "bow front stern back keel bottom"
