"""Speech without words: how it is noticed, and what of a second hearing belongs there."""

import pytest

from services.transcription.speech.chunks import Span
from services.transcription.speech.missed import Gap, beside, filling, gaps, trimmed
from shared.documents import Word


def word(text: str, start_s: float, end_s: float, confidence: float = 0.9) -> Word:
    return Word(start_s=start_s, end_s=end_s, text=text, confidence=confidence)


def said(text: str, start_s: float) -> list[Word]:
    """Words of 0.3 s, one after another."""
    return [word(one, start_s + 0.3 * i, start_s + 0.3 * i + 0.3) for i, one in enumerate(text.split())]


def texts(words: list[Word]) -> str:
    return " ".join(one.text for one in words)


def test_speech_without_words_is_a_gap() -> None:
    spans = [Span(0, 5), Span(6, 12)]
    words = [Span(0, 1), Span(1, 5), Span(6.2, 7), Span(10, 12)]
    assert gaps(spans, words) == [Span(7.2, 9.8)]
    assert gaps(spans, []) == spans
    assert gaps(spans, [Span(0, 12)]) == []
    assert gaps([], words) == []
    assert gaps(spans, words, shortest_s=3) == []


@pytest.mark.parametrize(
    ("text", "lasts_s"), [("not", 0.6), ("membrane.", 1.1), ("57%.", 1.3), ("1994", 2.3), ("不", 0.4)]
)
def test_a_word_lasts_no_longer_than_it_can_be_said(text: str, lasts_s: float) -> None:
    assert trimmed(word(text, 10, 13)).end_s == pytest.approx(10 + lasts_s)
    assert trimmed(word(text, 10, 10.2)).end_s == 10.2


def test_a_word_stretched_over_what_was_passed_over_leaves_a_gap() -> None:
    assert gaps([Span(0, 5)], [trimmed(word("not", 0, 5))]) == [Span(pytest.approx(0.8), 5)]


def test_the_words_beside_a_gap_are_heard_again_if_they_are_near() -> None:
    words = said("it will not", 0) + said("divide again", 4)
    gap = beside(Span(1.5, 3.5), words, 10)
    assert (gap.before, gap.after) == (words[2], words[3])
    assert gap.heard == Span(pytest.approx(0.4), pytest.approx(4.5))
    alone = beside(Span(5, 9), said("no", 0), 20)
    assert (alone.before, alone.after) == (None, None)
    assert beside(Span(2, 30.5), words, 40).heard == Span(2, 30.5)


def test_what_both_hearings_have_is_taken_once() -> None:
    before, after = word("not", 0.6, 0.9), word("again", 1.8, 2.1)
    gap = Gap(Span(1.2, 1.6), Span(0.4, 2.1), before, after)
    assert texts(filling(gap, said("will not divide or grow again", 0.3))) == "divide or grow"
    assert texts(filling(gap, said("divide or grow", 1.05))) == "divide or grow"


def test_words_heard_otherwise_the_second_time_do_not_count_outside_the_gap() -> None:
    gap = Gap(Span(1.2, 1.9), Span(0.4, 2.6), word("not", 0.6, 0.9), word("again", 2.1, 2.4))
    assert texts(filling(gap, said("knot and or grow a gain", 0.6))) == "or grow a"


def test_words_that_are_not_believed_fill_no_gap() -> None:
    gap = Gap(Span(1, 2), Span(1, 2), None, None)
    assert filling(gap, [word("you", 1.2, 1.5, 0.3)]) == []
    assert filling(gap, []) == []
