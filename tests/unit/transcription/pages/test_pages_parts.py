"""The decisions one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.transcription.pages.characters import clean, is_garbage
from services.transcription.pages.continuation import Placed, continued
from services.transcription.pages.glyph_text import whole
from services.transcription.pages.hyphens import Hyphens
from services.transcription.pages.models import Piece
from services.transcription.pages.order import reading_order
from services.transcription.pages.paragraphs import BULLET
from services.transcription.pages.regions import CAPTION


def test_ligatures_and_soft_hyphens():
    assert clean("e\ufb03cient \ufb02ow, co\u00adoperate\u200b ") == "efficient flow, cooperate"


@pytest.mark.parametrize(
    ("layer", "shown"),
    [
        pytest.param("\x01 Cost estimation", "• Cost estimation", id="a bullet before a word"),
        pytest.param("\x04 20 minutes off-peak", "\ufffd 20 minutes off-peak", id="a sign before a number"),
        pytest.param("waits of \x04 5 minutes", "waits of \ufffd 5 minutes", id="a sign within a line"),
        pytest.param("\x1fice hours", "\ufffdice hours", id="a ligature at the beginning of a line"),
        pytest.param("one\ttwo\r\n", "one two", id="blanks and ends of lines"),
    ],
)
def test_control_characters_are_signs_that_the_font_does_not_name(layer, shown):
    assert clean(layer) == shown


@given(st.text())
def test_clean_text_is_stable_and_on_one_line(text):
    once = clean(text)
    assert clean(once) == once
    assert "\n" not in once
    assert "\x00" not in once


@given(st.text())
def test_halves_become_whole_characters(text):
    units = "".join(
        chr(int.from_bytes(text.encode("utf-16-le", "surrogatepass")[i : i + 2], "little"))
        for i in range(0, len(text.encode("utf-16-le", "surrogatepass")), 2)
    )
    assert whole(units) == text


@pytest.mark.parametrize(
    ("text", "garbage"),
    [("", False), ("plain words", False), ("\ufffd" * 40, True), ("\ue001\ue002\ue003 a", True), ("naïve ∑ 𝑎", False)],
)
def test_garbage(text, garbage):
    assert is_garbage(text) is garbage


@pytest.mark.parametrize(
    ("cut", "document", "resolved"),
    [
        ("the har\u00adbour", (), "the harbour"),
        ("half\u00addaily tides", ("a half-daily tide",), "half-daily tides"),
        ("well\u00adKnown", (), "well-Known"),
        ("state-of-the\u00adart", (), "state-of-the-art"),
        ("left open\u00ad", (), "left open-"),
    ],
)
def test_hyphens(cut, document, resolved):
    assert Hyphens([cut, *document]).resolve(cut) == resolved


@given(st.lists(st.tuples(*[st.integers(0, 600)] * 2, st.integers(1, 300), st.integers(1, 40)), max_size=40))
def test_reading_order_loses_and_repeats_nothing(shapes):
    boxes = [(float(x), float(y), float(x + w), float(y + h)) for x, y, w, h in shapes]
    assert sorted(placed.index for placed in reading_order(boxes, 7)) == list(range(len(boxes)))


def lines(x0, x1, top, count):
    return [(x0, top + 12.0 * i, x1, top + 12.0 * i + 9) for i in range(count)]


def test_three_columns_under_a_title():
    boxes = [(50.0, 30.0, 550.0, 60.0), *lines(50.0, 200.0, 80.0, 20), *lines(220.0, 370.0, 80.0, 20)]
    boxes += lines(390.0, 550.0, 80.0, 20)
    assert [placed.index for placed in reading_order(boxes, 7)] == list(range(61))


def test_a_wide_figure_cuts_columns_into_bands():
    top = lines(50.0, 290.0, 50.0, 5) + lines(310.0, 550.0, 50.0, 5)
    figure = [(100.0, 150.0, 500.0, 300.0)]
    bottom = lines(50.0, 290.0, 320.0, 5) + lines(310.0, 550.0, 320.0, 5)
    assert [placed.index for placed in reading_order(top + figure + bottom, 7)] == list(range(21))


@pytest.mark.parametrize("text", ["Figure 1: Tides", "Fig. 3. Tides", "Table 2", "TABLE IV. Heights", "Abbildung 2: x"])
def test_captions(text):
    assert CAPTION.match(text)


@pytest.mark.parametrize("text", ["Figure 1 shows the tides", "Table manners", "Tabs and spaces", "Figures lie"])
def test_no_captions(text):
    assert not CAPTION.match(text)


def test_a_minus_before_a_number_is_no_bullet():
    assert BULLET.match("- item")
    assert not BULLET.match("-3 degrees")


def text_piece(text, *, column=(50, 290), y=700, full=True, indented=False, kind="text"):
    box = (column[0], y, column[1], y + 20)
    return Piece(kind=kind, text=text, box=box, size=10, lines=2, column=column, full=full, indented=indented)


def test_a_sentence_goes_on_over_a_page_and_a_figure_between():
    one = Placed(text_piece("It goes on"), 1)
    figure = Placed(text_piece("", kind="figure"), 2)
    other = Placed(text_piece("over the page.", y=50), 2)
    done = continued([one, figure, other])
    assert [item.piece.text for item in done] == ["It goes on over the page.", ""]
    assert done[0].page == 1
    assert done[0].piece.box == one.piece.box


@pytest.mark.parametrize(
    "other",
    [
        text_piece("New begins here", y=50, indented=True),
        text_piece("• an item", y=50),
        text_piece("x", kind="formula"),
    ],
)
def test_what_does_not_go_on(other):
    assert len(continued([Placed(text_piece("It goes on"), 1), Placed(other, 2)])) == 2


def test_a_finished_sentence_does_not_go_on():
    pieces = [Placed(text_piece("It is over."), 1), Placed(text_piece("and more", y=50), 2)]
    assert len(continued(pieces)) == 2
