"""Lines of text into reading order, and which of them is the title."""

from services.transcription.slides.arrangement import arrange
from services.transcription.slides.values import TextLine


def line(text: str, x: float, y: float, height: float = 0.05, width: float = 0.3) -> TextLine:
    return TextLine(text, x, y, x + width, y + height)


def test_rows_from_the_top_and_from_the_left() -> None:
    read = arrange(
        [line("right", 0.6, 0.31), line("below", 0.1, 0.5), line("left", 0.1, 0.3), line("Top", 0.1, 0.05, 0.08)]
    )
    assert read.text == "Top\nleft right\nbelow"
    assert read.title == "Top"


def test_a_small_header_is_not_the_title() -> None:
    read = arrange([line("Course 101", 0.1, 0.01, 0.03), line("Entropy", 0.1, 0.1, 0.09), line("• first", 0.1, 0.3)])
    assert read.title == "Entropy"


def test_a_wide_title_over_two_lines_is_one() -> None:
    read = arrange(
        [
            line("Entropy and the", 0.05, 0.05, 0.08, 0.85),
            line("second law", 0.05, 0.15, 0.08),
            line("• first", 0.1, 0.4),
        ]
    )
    assert read.title == "Entropy and the second law"


def test_no_text_has_no_title() -> None:
    assert arrange([]).title == ""
    assert arrange([line("", 0.1, 0.1), line("42", 0.9, 0.95)]).title == ""
