"""What is not running text: tables of contents, authors, tables without lines, formulas."""

import pytest

from services.transcription.pages.continuation import Placed
from services.transcription.pages.front_matter import name_headings
from services.transcription.pages.headings import Look, heading_levels, listed
from services.transcription.pages.join import join_units
from services.transcription.pages.lines import Line, TextPage
from services.transcription.pages.models import OutlineEntry, PageOptions, Piece
from services.transcription.pages.read import read_pages
from services.transcription.pages.unruled import unruled_tables

HEAD = '#set page(width: 15cm, height: 21cm, margin: 2cm)\n#set text(font: "Libertinus Serif", 10pt)\n'


def joined(typeset, tmp_path, body):
    return join_units([read_pages(typeset(HEAD + body), 1, 9, tmp_path, PageOptions(ocr=False))])


def test_entries_of_contents_are_lines_without_dots(typeset, tmp_path, known):
    chapters = "\n".join(f"= {name}\n{known.paragraph(n, 6)}" for n, name in enumerate(("Tides", "Harbours")))
    typed = "Waves of the sea #box(width: 1fr, repeat[.]) 7 \\\nStorms " + "." * 60 + " 12"
    found = joined(typeset, tmp_path, f"#outline()\n#pagebreak()\n{typed}\n#pagebreak()\n{chapters}")
    entries = [block.text for block in found.blocks if block.kind == "list_item"]
    assert entries == ["Tides … 3", "Harbours … 3", "Waves of the sea … 7", "Storms … 12"]


def test_names_under_a_title_are_no_headings(typeset, tmp_path, known):
    names = "\n\n".join(
        f'#text(12pt, weight: "bold")[{name}]' for name in ("Ada Miller", "Åse van den Berg", "J. P. Li")
    )
    body = f'#text(18pt, weight: "bold")[Tides of the north]\n\n{names}\n\n= Introduction\n{known.paragraph(0, 6)}'
    found = joined(typeset, tmp_path, body)
    assert [block.text for block in found.blocks if block.kind == "heading"] == ["Tides of the north", "Introduction"]


def head(text, size=12.0):
    return Placed(Piece(kind="text", text=text, box=(0, 0, 9, 9), size=size, bold=True), 1, heading=True)


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (["Tides", "Ada Miller", "Ben Stone", "*", "Introduction", "*"], ["Ada Miller", "Ben Stone"]),
        (["Tides", "Ada Miller", "Ben Stone", "*"], ["Ada Miller", "Ben Stone"]),
        (["Tides", "Part One", "Chapter One", "*"], []),
        (["Tides", "1 Moon Phases", "1.1 Full Moon", "*"], []),
        (["Tides", "*", "Moon Phases", "Full Moon", "*"], []),
    ],
)
def test_which_headings_are_names(texts, names):
    text = Placed(Piece(kind="text", text="The tide follows the Moon. " * 9, box=(0, 0, 9, 9)), 1)
    placed = [text if each == "*" else head(each) for each in texts]
    assert [placed[i].piece.text for i in sorted(name_headings(placed))] == names


def test_bookmarks_name_headings_and_their_levels():
    outline = [OutlineEntry(title=f"{n} {name}", page=n, level=n) for n, name in enumerate(("Moon", "Sun", "Wind"), 1)]
    plain = Piece(kind="text", text="Moon", box=(0, 0, 9, 9), size=10)
    assert listed([plain, plain.model_copy(update={"text": "The Moon"})], 1, outline) == {0}
    found = [(plain.model_copy(update={"text": name}), page) for name, page in (("Moon", 1), ("Aside", 1), ("Sun", 2))]
    found.append((plain.model_copy(update={"text": "Wind"}), 3))
    assert heading_levels(found, outline, Look(body=10, bold_is_rare=True)) == [1, 4, 2, 3]


def test_a_regular_table_without_lines_is_read(typeset, tmp_path, known):
    cells = "[Port], [Height], [Delay], [Brest], [7.2], [0.4], [Bristol], [12.3], [1.1], [Dover], [6.7], [0.2]"
    table = f"#table(columns: (1fr, 1fr, 1fr), stroke: none, {cells})"
    body = f"{known.paragraph(0, 4)}\n\n{table}\n\n{known.paragraph(2, 4)}"
    found = joined(typeset, tmp_path, body)
    assert [block.rows for block in found.blocks if block.kind == "table"] == [
        (("Port", "Height", "Delay"), ("Brest", "7.2", "0.4"), ("Bristol", "12.3", "1.1"), ("Dover", "6.7", "0.2"))
    ]
    assert not found.warnings


def cell(text, x, y):
    return Line(text, x, y, x + 5 * len(text), y + 10, y + 8, 10)


def test_a_table_that_is_not_regular_is_told(typeset, tmp_path):
    rows = [["Port", "Height", "Delay"], ["Brest", "7.2", "0.4"], ["Dover", "6.7"], ["Hull", "6.9", "0.3"]]
    lines = [cell(text, 20 + 100 * n, 20 + 14 * y) for y, row in enumerate(rows) for n, text in enumerate(row)]
    assert unruled_tables(TextPage(400, 600, lines), []) == ([], True)
    assert unruled_tables(TextPage(400, 600, lines), [(0, 0, 400, 600)]) == ([], False)


def test_a_table_whose_last_column_has_sentences_is_told(typeset, tmp_path, known):
    cells = (
        "[*Port*], [*Depth*], [*Tide*], [*Remark*], [Hull], [7 m], [5 m], [the gate opens two hours before high water],"
        "[Ghent], [13 m], [], [a canal], [Leith], [], [4 m], []"
    )
    found = joined(typeset, tmp_path, f"{known.paragraph(0)}\n\n#table(columns: 4, stroke: none, {cells})")
    assert found.warnings == (
        "A table without lines on page 1 could not be read as one; its cells may be out of order.",
    )


def test_terms_beside_what_they_mean_are_no_table(typeset, tmp_path, known):
    terms = "\n".join(f"[*{word}*], [{known.sentences[n]}]," for n, word in enumerate(("Neap", "Ebb", "Bore", "Race")))
    assert not joined(typeset, tmp_path, f"#grid(columns: (2cm, 1fr), row-gutter: 6pt, {terms})").warnings


def test_columns_of_text_are_no_table(known):
    lines = [cell(known.sentences[(n + y) % 5][:40], 20 + 220 * n, 20 + 12 * y) for y in range(9) for n in range(3)]
    assert unruled_tables(TextPage(700, 600, lines), []) == ([], False)


def test_formulas_are_told(typeset, tmp_path):
    found = joined(typeset, tmp_path, "The speed of the wave is given by\n$ v = sqrt(g h) $\nwhere $h$ is the depth.")
    assert found.warnings == ("Formulas on page 1 are not read as they are printed: see the source.",)
