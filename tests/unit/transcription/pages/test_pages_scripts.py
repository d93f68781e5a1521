"""Words written as they are seen, lines that run from the top, glyphs that no text has."""

import pikepdf
import pytest

from services.transcription.pages.join import join_units
from services.transcription.pages.lines import Line, TextPage
from services.transcription.pages.models import PageOptions
from services.transcription.pages.read import read_pages
from services.transcription.pages.right_to_left import with_paired_brackets, with_words_to_left
from services.transcription.pages.rotation import runs_down, upright


@pytest.mark.parametrize("seen", [True, False], ids=["as seen", "as read"])
def test_words_come_in_the_order_of_reading(seen):
    read = "ناعم جليد"
    stored = " ".join(word[::-1] if seen else word for word in read.split())
    places = list(range(len(read), 0, -1))
    if seen:
        places = [9, 10, 11, 12, 5, 1, 2, 3, 4]
        places[:4], places[5:] = sorted(places[:4]), sorted(places[5:])
    assert with_words_to_left(stored, lambda index: float(places[index])) == read


def test_latin_words_between_stay_as_they_are():
    assert with_words_to_left("אגם Louise", lambda index: float(index if index > 2 else -index)) == "אגם Louise"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("האגמים) כמו אגם Louise) במורד", "האגמים (כמו אגם Louise) במורד"),
        ("האגמים (כמו אגם) במורד", "האגמים (כמו אגם) במורד"),
    ],
)
def test_a_bracket_before_words_of_both_directions_opens(text, told):
    assert with_paired_brackets([Line(text, 0, 0, 90, 10, 9, 10)])[0].text == told


def column(text, x, y=20.0, size=10.0):
    return Line(text, x, y, x + size, y + 1.2 * size * len(text), y, size, angle=90)


def test_columns_from_the_top_are_read_from_the_right():
    lines = [column("氷河は岩を砕く", 80), column("融水が粉を運ぶ", 60), Line("。", 40, 20, 50, 30, 30, 10)]
    turned = upright(TextPage(width=100, height=200, lines=lines))
    assert turned.turned
    rows = sorted(turned.text.lines, key=lambda line: line.y0)
    assert [line.text for line in rows] == ["氷河は岩を砕く", "融水が粉を運ぶ", "。"]
    assert all(line.x1 - line.x0 > line.y1 - line.y0 for line in rows[:2])
    assert turned.back(rows[0].box) == lines[0].box


@pytest.mark.parametrize(
    ("text", "box", "down"),
    [
        ("氷河は岩", (0, 0, 10, 48), True),
        ("氷河は岩", (0, 0, 40, 12), False),
        ("る", (0, 0, 10, 12), False),
        ("abcd", (0, 0, 10, 48), False),
    ],
)
def test_which_lines_run_down(text, box, down):
    assert runs_down(text, box) is down


def test_a_glyph_that_is_none_is_missed_and_told(typeset, tmp_path):
    source = typeset('#set page(width: 12cm, height: 5cm)\n#set text(font: "Libertinus Serif")\nMeltwater flows.')
    with pikepdf.open(source) as pdf:
        page = pdf.pages[0]
        content = pikepdf.parse_content_stream(page)
        text = next(item for item in content if str(item.operator) in {"Tj", "TJ"})
        shown = text.operands[0][0] if str(text.operator) == "TJ" else text.operands[0]
        changed = pikepdf.String(b"\0\0" + bytes(shown)[2:])
        if str(text.operator) == "TJ":
            text.operands[0][0] = changed
        else:
            text.operands[0] = changed
        page.Contents = pdf.make_stream(pikepdf.unparse_content_stream(content))
        pdf.save(tmp_path / "none.pdf")
    unit = read_pages(tmp_path / "none.pdf", 1, 1, tmp_path, PageOptions(ocr=False))
    joined = join_units([unit])
    assert joined.blocks[0].text == "\ufffdeltwater flows."
    assert joined.warnings == ("Some letters or signs on page 1 could not be read; � stands in their place.",)
