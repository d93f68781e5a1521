"""What a teacher says several times is kept; what only the recogniser repeats is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.transcription.speech.chunks import Span
from services.transcription.speech.drills import said_repeatedly, unworded
from services.transcription.speech.repetition import find_loops
from shared.documents import Word

PHRASE = ("she", "sells", "sea", "shells.")


def said(
    text: list[str] | tuple[str, ...], start_s: float, each_s: float = 0.25, confidence: float = 0.9
) -> list[Word]:
    return [
        Word(start_s=start_s + n * each_s, end_s=start_s + (n + 1) * each_s, text=word, confidence=confidence)
        for n, word in enumerate(text)
    ]


def drill(times: int, every_s: float = 2.0) -> list[Word]:
    return [word for n in range(times) for word in said(PHRASE, n * every_s)]


def stretches(times: int, every_s: float = 2.0) -> list[Span]:
    return [Span(n * every_s + 0.05, n * every_s + 1.0) for n in range(times)]


@given(st.integers(4, 30), st.floats(1.3, 7))
def test_a_drill_is_kept_whole(times: int, every_s: float) -> None:
    found = said_repeatedly(drill(times, every_s), stretches(times, every_s))
    assert found is not None
    assert [word.text for word in found.words] == list(PHRASE) * times
    assert (found.dropped, found.silent) == ([], [])


def test_words_around_a_drill_stay_in_their_place() -> None:
    words = [
        *said(("Repeat:",), 0),
        *[w.model_copy(update={"start_s": w.start_s + 2, "end_s": w.end_s + 2}) for w in drill(5)],
    ]
    words += said(("Well", "done."), 13)
    found = said_repeatedly(
        words, [Span(0, 0.3), *(Span(s.start_s + 2, s.end_s + 2) for s in stretches(5)), Span(13, 14)]
    )
    assert found is not None
    assert [word.text for word in found.words] == ["Repeat:", *PHRASE * 5, "Well", "done."]


def test_a_count_of_one_word_is_kept() -> None:
    words = [word for n in range(9) for word in said(("Left.",), n * 1.1)]
    found = said_repeatedly(words, [Span(n * 1.1, n * 1.1 + 0.4) for n in range(9)])
    assert found is not None
    assert len(found.words) == 9


def test_a_loop_through_one_stretch_is_none() -> None:
    assert said_repeatedly(drill(8, 1.0), [Span(0, 8)]) is None


def test_a_loop_whose_times_stand_still_is_none() -> None:
    words = [Word(start_s=0.1, end_s=0.1, text=word, confidence=0.9) for word in PHRASE * 8]
    assert said_repeatedly(words, stretches(8)) is None


def test_a_loop_in_silence_is_none() -> None:
    assert said_repeatedly(drill(8), [Span(100, 101)]) is None


def test_a_loop_that_is_not_believed_is_none() -> None:
    words = [word for n in range(8) for word in said(PHRASE, n * 2.0, confidence=0.2)]
    assert said_repeatedly(words, stretches(8)) is None


def test_more_words_than_the_voice_can_hold_are_none() -> None:
    words = [
        word for n in range(8) for word in said(("Electroencephalographically", "speaking,", "yes."), n * 2.0, 0.05)
    ]
    assert find_loops([word.text for word in words])
    assert said_repeatedly(words, [Span(n * 2.0, n * 2.0 + 0.15) for n in range(8)]) is None


def test_a_loop_that_follows_a_drill_is_left_out_with_its_times() -> None:
    piled = [Word(start_s=8.9, end_s=8.9, text=word, confidence=0.9) for word in PHRASE * 3]
    found = said_repeatedly([*drill(5), *piled], stretches(5))
    assert found is not None
    assert [word.text for word in found.words] == list(PHRASE) * 5
    assert [(span.start_s, span.reason) for span in found.dropped] == [(8.9, "repetition")] * 3


def test_a_repetition_that_a_word_was_stretched_over_is_to_be_heard_again() -> None:
    words = drill(6)
    del words[8:12]  # the third repetition; the second reaches over it
    words[7] = words[7].model_copy(update={"end_s": 5.9})
    found = said_repeatedly(words, stretches(6))
    assert found is not None
    assert found.silent == [stretches(6)[2]]
    assert found.words[7].end_s == pytest.approx(3.0)


def test_without_a_loop_there_is_nothing_to_say() -> None:
    assert said_repeatedly(said(PHRASE, 0), stretches(1)) is None


def test_voice_that_lost_its_words_is_found() -> None:
    assert unworded([Span(0, 1), Span(2, 3), Span(4, 4.2), Span(6, 7)], said(("a",), 0.2), Span(0, 5)) == [Span(2, 3)]
