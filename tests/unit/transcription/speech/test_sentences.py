"""Where a stream of words is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.transcription.speech.sentences import (
    LONGEST_CHARACTERS,
    LONGEST_S,
    cut_into_sentences,
    text_of,
    with_forgotten_stops,
)
from shared.documents import Word


def spoken(text: str, word_s: float = 0.3) -> list[Word]:
    return [
        Word(start_s=index * word_s, end_s=(index + 1) * word_s, text=word, confidence=1)
        for index, word in enumerate(text.split())
    ]


def sentences(text: str, word_s: float = 0.3) -> list[str]:
    return [text_of(sentence) for sentence in cut_into_sentences(spoken(text, word_s))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It beats. Does it? It does!", ["It beats.", "Does it?", "It does!"]),
        ('He said "stop." Then he left.', ['He said "stop."', "Then he left."]),
        ("Ask Dr. Harvey about it. He knows.", ["Ask Dr. Harvey about it.", "He knows."]),
        ("J. S. Bach wrote it. It is long.", ["J. S. Bach wrote it.", "It is long."]),
        ("See fig. 3 for that. Now go.", ["See fig. 3 for that.", "Now go."]),
        ("Is it? No. That is wrong.", ["Is it?", "No.", "That is wrong."]),
        ("So did I. Then we left.", ["So did I.", "Then we left."]),
        ("It is 3.5 times more. Yes.", ["It is 3.5 times more.", "Yes."]),
        ("Well... it depends. Yes.", ["Well... it depends.", "Yes."]),
        ("no full stop at all", ["no full stop at all"]),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_pause_of_two_seconds_ends_a_sentence() -> None:
    words = [
        Word(start_s=0, end_s=1, text="and", confidence=1),
        Word(start_s=3, end_s=4, text="so", confidence=1),
        Word(start_s=5.9, end_s=6, text="on", confidence=1),
    ]
    assert [text_of(sentence) for sentence in cut_into_sentences(words)] == ["and", "so on"]


def test_a_sentence_that_is_too_long_is_cut_after_a_clause_near_its_middle() -> None:
    text = " ".join(["word"] * 30 + ["word,"] + ["word"] * 3 + ["clause;"] + ["word"] * 35)
    first, second = sentences(text, word_s=0.1)
    assert first.endswith("clause;")
    assert len(second.split()) == 35


def test_without_clauses_it_is_cut_at_the_longest_pause() -> None:
    words = spoken(" ".join(["word"] * 80), word_s=0.1)
    words = words[:35] + [
        word.model_copy(update={"start_s": word.start_s + 1, "end_s": word.end_s + 1}) for word in words[35:]
    ]
    assert [len(sentence) for sentence in cut_into_sentences(words)] == [35, 45]


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 2), st.text("ab.,;? ", min_size=1, max_size=60)), max_size=60))
def test_no_word_is_lost_and_none_is_too_long(steps: list[tuple[float, float, str]]) -> None:
    clock, words = 0.0, []
    for pause_s, length_s, text in steps:
        words.append(Word(start_s=clock + pause_s, end_s=clock + pause_s + length_s, text=text, confidence=1))
        clock += pause_s + length_s
    cut = cut_into_sentences(words)
    assert [word for sentence in cut for word in sentence] == words
    for sentence in cut:
        short = sentence[-1].end_s - sentence[0].start_s <= LONGEST_S and len(text_of(sentence)) <= LONGEST_CHARACTERS
        assert sentence
        assert short or len(sentence) == 1


def test_languages_without_spaces_are_written_without() -> None:
    words = spoken("心臓 は 動く。")
    assert (text_of(words, "ja"), text_of(words, "en")) == ("心臓は動く。", "心臓 は 動く。")


def _spoken(text: str, pause_s: float) -> list[Word]:
    """One word a second, with a pause before each that begins with a capital."""
    words: list[Word] = []
    at_s = 0.0
    for part in text.split():
        at_s += pause_s if part[0].isupper() else 0.0
        words.append(Word(start_s=at_s, end_s=at_s + 0.4, text=part, confidence=0.9))
        at_s += 0.4
    return words


@pytest.mark.parametrize(
    ("heard", "pause_s", "language", "written"),
    [
        ("The total is four If it counts more", 0.3, "en", "The total is four. If it counts more"),
        ("The total is four If it counts more", 0.1, "en", "The total is four If it counts more"),
        ("It came from Neptune And then", 0.3, "en", "It came from Neptune And then"),  # a title may go on so
        ("We saw in, The end", 0.3, "en", "We saw in, The end"),
        ("In 1948 Shannon proved it", 0.3, "en", "In 1948 Shannon proved it"),  # a name has its capital anyway
        ("das ist gut Dann kommt In der Mitte", 0.3, "de", "das ist gut Dann kommt In der Mitte"),
    ],
)
def test_a_forgotten_full_stop_is_set(heard: str, pause_s: float, language: str, written: str) -> None:
    assert text_of(with_forgotten_stops(_spoken(heard, pause_s), language)) == written
