"""The join: right order, nothing twice, nothing lost, and the same bytes whatever arrives when."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.transcription.speech.join import join_units, to_utterances
from services.transcription.speech.recognise import SpeechUnit
from shared.documents import Word

TEXTS = ["the", "heart", "beats.", "Again,", "and", "slowly", "does", "it?"]


def spoken(text: str, start_s: float = 0.0, word_s: float = 0.4, confidence: float = 0.91) -> tuple[Word, ...]:
    return tuple(
        Word(
            start_s=start_s + index * word_s,
            end_s=start_s + (index + 0.9) * word_s,
            text=word,
            confidence=confidence,
        )
        for index, word in enumerate(text.split())
    )


def unit(*words: Word, language: str = "en", engine: str = "whisper tiny.en") -> SpeechUnit:
    return SpeechUnit(language=language, engine=engine, words=words)


@st.composite
def recordings(draw: st.DrawFn) -> tuple[list[SpeechUnit], float]:
    """Units of a recording, cut anywhere, some without a word, neighbours overlapping by up to three words."""
    clock, words = 0.0, []
    for text in draw(st.lists(st.sampled_from(TEXTS), max_size=40)):
        clock += draw(st.floats(0, 5))
        length = draw(st.floats(0.01, 1))
        words.append(Word(start_s=clock, end_s=clock + length, text=text, confidence=draw(st.floats(0, 1))))
        clock += length
    cuts = sorted(draw(st.lists(st.integers(0, len(words)), max_size=4)))
    overlap = draw(st.integers(0, 3))
    borders = [0, *cuts, len(words)]
    units = [unit(*words[max(begin - overlap, 0) : end]) for begin, end in pairwise(borders)]
    return units, clock + 1


@given(recordings(), st.randoms(use_true_random=False), st.integers(1, 3))
def test_order_and_repetition_of_units_change_no_byte(
    recording: tuple[list[SpeechUnit], float], random: Random, times: int
) -> None:
    units, duration_s = recording
    expected = join_units(units, duration_s).model_dump_json()
    shuffled = units * times
    random.shuffle(shuffled)
    assert join_units(shuffled, duration_s).model_dump_json() == expected


@given(recordings())
def test_units_that_repeat_their_neighbours_words_lose_and_double_none(
    recording: tuple[list[SpeechUnit], float],
) -> None:
    units, duration_s = recording
    said = {(word.start_s, word.text) for part in units for word in part.words}
    joined = [word for segment in join_units(units, duration_s).segments for word in segment.words]
    assert [word.text for word in joined] == [text for _, text in sorted(said, key=lambda pair: pair[0])]


@given(recordings())
def test_times_never_go_back_and_stay_inside(recording: tuple[list[SpeechUnit], float]) -> None:
    units, _ = recording
    transcript = join_units(units, 20.0)
    words = [word for segment in transcript.segments for word in segment.words]
    starts = [word.start_s for word in words]
    assert starts == sorted(starts)
    assert all(word.start_s <= word.end_s <= 20.0 for word in words)
    assert all(
        round(word.start_s, 3) == word.start_s and round(word.confidence, 3) == word.confidence for word in words
    )
    assert all(segment.start_s <= segment.end_s for segment in transcript.segments)


@given(recordings())
def test_utterances_are_the_segments_numbered(recording: tuple[list[SpeechUnit], float]) -> None:
    transcript = join_units(*recording)
    utterances = to_utterances(transcript)
    assert [utterance.id for utterance in utterances] == [f"u{n + 1}" for n in range(len(transcript.segments))]
    assert [utterance.text for utterance in utterances] == [segment.text for segment in transcript.segments]
    assert all(utterance.slide is None for utterance in utterances)


def test_no_units_and_silent_units_give_an_empty_transcript() -> None:
    assert join_units([], 3.0).segments == ()
    silent = join_units([unit(), unit()], 3.0)
    assert (silent.segments, silent.language, silent.engine) == ((), "en", "whisper tiny.en")


def test_words_heard_by_both_units_are_kept_once_although_their_times_differ() -> None:
    first = unit(*spoken("The valves of the heart open", 0.0))
    second = unit(*spoken("the heart open and close.", 1.25))
    assert [segment.text for segment in join_units([second, first], 10).segments] == [
        "The valves of the heart open and close."
    ]


def test_where_units_overlap_and_disagree_each_keeps_its_half() -> None:
    first = unit(*spoken("one two three fore", 0.0, word_s=1.0))
    second = unit(*spoken("tree four five six", 2.0, word_s=1.0))
    assert join_units([first, second], 10).segments[0].text == "one two three four five six"


def test_a_word_said_twice_in_one_unit_stays_twice() -> None:
    assert join_units([unit(*spoken("that that is, is."))], 9).segments[0].text == "that that is, is."


def test_a_unit_inside_another_adds_nothing() -> None:
    outer, inner = unit(*spoken("a long story about hearts")), unit(*spoken("store about", 0.8))
    assert join_units([inner, outer], 9) == join_units([outer], 9).model_copy()


def test_the_language_is_that_of_most_words_and_every_engine_is_named() -> None:
    units = [
        unit(*spoken("Guten Tag zusammen."), language="de", engine="b"),
        unit(*spoken("Hi.", 60), language="en", engine="a"),
    ]
    joined = join_units(units, 99)
    assert (joined.language, joined.engine) == ("de", "a, b")


def test_numbers_are_rounded() -> None:
    word = Word(start_s=0.12345, end_s=0.98765, text="Yes.", confidence=0.123456)
    (segment,) = join_units([unit(word)], 2.00049).segments
    assert segment.words[0] == Word(start_s=0.123, end_s=0.988, text="Yes.", confidence=0.123)
    assert join_units([unit(word)], 2.00049).duration_s == pytest.approx(2.0)
