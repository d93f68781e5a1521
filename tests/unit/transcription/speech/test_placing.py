"""A phrase that is said again is kept as often as there is voice for it, where the voice is (SPE-4)."""

import pytest

from services.transcription.speech.chunks import Span
from services.transcription.speech.missed import Gap, filling, without_words
from services.transcription.speech.placing import placed
from services.transcription.speech.recognise import DroppedSpeech
from shared.documents import Word


def word(text: str, start_s: float, end_s: float | None = None) -> Word:
    return Word(start_s=start_s, end_s=start_s + 0.2 if end_s is None else end_s, text=text, confidence=0.95)


def words(*said: tuple[str, float]) -> list[Word]:
    return [word(text, start_s) for text, start_s in said]


def spans(*starts: float, length_s: float = 0.48) -> list[Span]:
    return [Span(start_s, start_s + length_s) for start_s in starts]


def starts(found: list[Word], text: str) -> list[float]:
    return [round(one.start_s, 2) for one in found if one.text == text]


BEFORE, AFTER = Span(2.9, 4.3), Span(12.3, 12.8)
VOICE = [BEFORE, *spans(4.9, 6.37, 7.84, 9.31, 10.8), AFTER]


def test_a_word_said_five_times_and_written_six_times_is_kept_five_times_where_it_is_said() -> None:
    """Measured: the second stands in a pause, the sixth in the pause after the last."""
    again = [("Again.", time) for time in (4.98, 7.22, 9.12, 9.38, 10.82, 11.32)]
    found = placed(words(("me.", 4.06), *again, ("Thank", 12.26)), VOICE)
    assert starts(found, "Again.") == [4.98, 6.37, 7.84, 9.38, 10.82]
    assert [found[0].text, found[-1].text] == ["me.", "Thank"]


def test_a_repetition_that_was_not_written_leaves_its_voice_to_be_heard_again() -> None:
    again = [("Again.", time) for time in (5.0, 8.5, 9.4, 10.9)]
    found = placed(words(("me.", 4.06), *again, ("Thank", 12.26)), VOICE)
    assert starts(found, "Again.") == [5.0, 7.84, 9.4, 10.9]


def test_a_sentence_with_a_pause_of_its_own_is_placed_pause_by_pause() -> None:
    voice = [
        Span(start_s + by_s, start_s + by_s + length_s)
        for start_s in (1, 5, 9)
        for by_s, length_s in ((0, 1.6), (2, 0.5))
    ]
    tea = [(text, start_s) for start_s in (1.0, 8.2, 9.0) for text in ("Some", "tea", "please.")]
    found = placed(words(*tea, ("Good.", 13.0)), [*voice, Span(13, 13.5)])
    assert len(found) == 10
    assert starts(found, "Some") == [1.0, 5.0, 9.0]
    assert all(any(span.start_s <= one.start_s < span.end_s for span in voice) for one in found[:-1])


@pytest.mark.parametrize(
    ("said", "voice"),
    [
        ([("no", 1.0), ("no", 1.2), ("no", 1.4)], spans(1.0)),  # in one breath
        ([("so", n * 0.1) for n in range(40)], spans(0, 1, 2, 3)),  # a loop of the recogniser
        ([("very", 1.0), ("very", 2.0), ("very", 4.5)], [Span(1, 1.3), Span(2, 4), Span(4.4, 5)]),  # unlike
        ([("say", 1.0), ("go", 1.3), ("go", 2.0), ("go", 3.0)], [Span(1, 1.7), *spans(2, 3)]),  # shared with "say"
        ([("no", 1.0), ("no", 1.3), ("no", 2.0), ("no", 2.3)], spans(1, 2)),  # two in each breath
        ([("a", 1.0), ("b", 2.0), ("a", 3.0)], spans(1, 2, 3)),
        ([], []),
    ],
)
def test_where_the_voice_does_not_tell_words_stay_as_they_are(said: list[tuple[str, float]], voice: list[Span]) -> None:
    assert placed(words(*said), voice) == words(*said)


def test_only_speech_of_which_no_word_is_there_is_told_as_left_out() -> None:
    voice = spans(1, 3, 5)
    lost = [DroppedSpeech(start_s=s, end_s=s + 0.5, reason=r) for s, r in ((1, "missed"), (3, "repetition"))]
    made_up = DroppedSpeech(start_s=5, end_s=5.4, reason="silence")
    all_there = [word("Again.", 1.05, 1.4), word("Again.", 3.05, 3.4), word("Again.", 5.05, 5.4)]
    assert without_words([*lost, made_up], voice, all_there) == [made_up]
    assert without_words(lost, voice, all_there[:1]) == lost[1:]
    assert without_words(lost, voice, []) == lost


def test_the_first_word_of_a_gap_may_begin_in_the_silence_before_it() -> None:
    found = words(("See", 21.7), ("you", 22.1))
    assert filling(Gap(Span(21.92, 22.75), Span(21.72, 22.95), None, None), found) == found
