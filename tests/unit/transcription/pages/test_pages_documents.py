"""Whole documents: read, joined, compared with what was typeset."""

import pickle
import re

import pikepdf
import pytest

from services.transcription.pages.join import join_units
from services.transcription.pages.models import PageOptions, PageUnit
from services.transcription.pages.read import read_pages


def joined(pdf, tmp_path, *, step=50):
    units, first = [], 1
    while True:
        units.append(read_pages(pdf, first, first + step - 1, tmp_path, PageOptions()))
        first += step
        if first > units[-1].page_count:
            return join_units(units)


def of_kind(result, *kinds):
    return [block for block in result.blocks if block.kind in kinds]


def test_every_paragraph_is_whole_and_in_order(two_columns, tmp_path, known):
    texts = [re.sub(r"\s+", " ", block.text) for block in of_kind(joined(two_columns, tmp_path), "paragraph")]
    expected = []
    for section in range(6):
        expected += [known.paragraph(section), known.paragraph(section + 1, 3)]
        expected.append(known.paragraph(section + 2, 5))
    assert [text for text in texts if text in set(expected)] == expected


def test_headings_have_their_levels_and_nothing_else_is_one(two_columns, tmp_path):
    headings = [(block.text, block.level) for block in of_kind(joined(two_columns, tmp_path), "heading")]
    expected = [("On Tides and Harbours", 1)]
    for number, letter in enumerate("abcdef", start=1):
        expected += [(f"{number} Section {letter} of the work", 1), (f"{number}.1 Details", 2)]
    assert headings == expected


def test_running_heads_and_page_numbers_are_gone(two_columns, tmp_path):
    texts = [block.text for block in joined(two_columns, tmp_path).blocks]
    assert not [text for text in texts if "Journal of Tides" in text or "Vol. 3" in text or re.fullmatch(r"\d+", text)]


def test_table_cells(two_columns, tmp_path):
    (table,) = of_kind(joined(two_columns, tmp_path), "table")
    assert table.rows == (("Port", "Height", "Delay"), ("Brest", "7.2", "0.4"), ("Bristol", "12.3", "1.1"))
    assert table.has_header


def test_figure_is_cut_out_and_has_its_caption(two_columns, tmp_path):
    result = joined(two_columns, tmp_path)
    (figure,) = of_kind(result, "figure")
    assert figure.text == "Figure 1: The two bulges."
    data = (tmp_path / figure.image.name).read_bytes()
    assert len(data) == figure.image.size
    assert data.startswith(b"\x89PNG")
    assert result.images == (figure.image,)
    assert "Table 1: Heights by port." in [block.text for block in of_kind(result, "caption")]


def test_footnote_stands_apart_from_the_text(two_columns, tmp_path, known):
    texts = [block.text for block in of_kind(joined(two_columns, tmp_path), "paragraph")]
    assert f"1{known.sentences[4]}" in texts


def test_list_items_lose_their_bullets(two_columns, tmp_path):
    items = [block.text for block in of_kind(joined(two_columns, tmp_path), "list_item")]
    assert items == ["first point of the list", "second point"]


@pytest.mark.parametrize("step", [1, 2])
def test_the_cut_into_units_changes_nothing(two_columns, tmp_path, step):
    assert joined(two_columns, tmp_path, step=step) == joined(two_columns, tmp_path)


def test_order_and_repetition_of_units_change_nothing(two_columns, tmp_path):
    units = [read_pages(two_columns, page, page, tmp_path, PageOptions()) for page in (1, 2, 3)]
    assert join_units([units[2], units[0], units[1], units[0]]) == join_units(units)


def test_units_travel_as_json_and_pickle(two_columns, tmp_path):
    unit = read_pages(two_columns, 1, 2, tmp_path, PageOptions())
    assert PageUnit.model_validate_json(unit.model_dump_json()) == unit
    assert pickle.loads(pickle.dumps(unit)) == unit
    assert len(unit.model_dump_json()) < 40_000


def test_ids_are_unique_and_name_the_page(two_columns, tmp_path):
    blocks = joined(two_columns, tmp_path).blocks
    assert len({block.id for block in blocks}) == len(blocks)
    assert all(block.id.startswith(f"p{block.box.page}b") for block in blocks)
    assert [block.box.page for block in blocks] == sorted(block.box.page for block in blocks)


def test_each_slide_has_its_largest_text_as_heading(slides, tmp_path):
    result = joined(slides, tmp_path)
    assert [(b.text, b.level) for b in of_kind(result, "heading")] == [
        (f"Slide {word}", 1) for word in ("un", "deux", "trois", "quatre")
    ]
    assert len(of_kind(result, "list_item")) == 8
    assert not [b for b in result.blocks if "Course 7" in b.text]


@pytest.mark.parametrize("rotation", [90, 270])
def test_rotated_pages_read_the_same(two_columns, tmp_path, rotation):
    turned = tmp_path / "turned.pdf"
    with pikepdf.open(two_columns) as pdf:
        for page in pdf.pages:
            page.rotate(rotation, relative=False)
        pdf.save(turned)
    # A page shown on its side is read in the direction of its text.
    words = [block.text for block in of_kind(joined(turned, tmp_path), "heading")]
    assert words == [block.text for block in of_kind(joined(two_columns, tmp_path), "heading")]


def test_crop_box_moves_the_origin(two_columns, tmp_path):
    cropped = tmp_path / "cropped.pdf"
    with pikepdf.open(two_columns) as pdf:
        for page in pdf.pages:
            x0, y0, x1, y1 = (float(edge) for edge in page.mediabox)
            page.cropbox = [x0 + 10, y0 + 10, x1 - 10, y1 - 20]
        pdf.save(cropped)
    before, after = joined(two_columns, tmp_path).blocks[0], joined(cropped, tmp_path).blocks[0]
    assert before.text == after.text
    assert after.box.x0 == pytest.approx(before.box.x0 - 10, abs=0.2)
    assert after.box.y0 == pytest.approx(before.box.y0 - 20, abs=0.2)


def test_a_table_goes_on_over_pages(typeset, tmp_path):
    cells = ", ".join(f"[row {i}], [{i * i}]" for i in range(1, 60))
    pdf = typeset(f'#set page(paper: "a5")\n#table(columns: 2, table.header([Name], [Square]), {cells})')
    (table,) = of_kind(joined(pdf, tmp_path), "table")
    assert table.rows[0] == ("Name", "Square")
    assert table.rows[1:] == tuple((f"row {i}", str(i * i)) for i in range(1, 60))


def test_rules_across_alone_make_a_table(typeset, tmp_path):
    rows = ", ".join(f"[Sample {i}], [{i}.25], [{i * 7}]" for i in range(1, 6))
    pdf = typeset(
        "#table(columns: 3, stroke: none, table.hline(), [Kind of thing], [Mean], [Count], table.hline(), "
        f"{rows}, table.hline())"
    )
    (table,) = of_kind(joined(pdf, tmp_path), "table")
    assert table.rows[0] == ("Kind of thing", "Mean", "Count")
    assert table.rows[3] == ("Sample 3", "3.25", "21")
