"""From Whisper's pieces to words."""

from dataclasses import dataclass

import pytest

from services.transcription.speech.pieces import moved, said_once, whole_words
from services.transcription.speech.recognise import DroppedSpeech, SpeechUnit
from shared.documents import Word


@dataclass
class Piece:
    start: float
    end: float
    word: str
    probability: float = 0.9


def test_pieces_without_a_space_continue_the_word_before() -> None:
    pieces = [Piece(0, 1, " error", 0.9), Piece(1, 2, "-correcting", 0.5), Piece(2, 3, " codes")]
    words = whole_words(pieces, "en")
    assert [word.text for word in words] == ["error-correcting", "codes"]
    assert (words[0].end_s, words[0].confidence) == (2, 0.5)


def test_in_languages_without_spaces_each_piece_is_a_word() -> None:
    assert [word.text for word in whole_words([Piece(0, 1, "心臓"), Piece(1, 2, "は")], "ja")] == ["心臓", "は"]


def test_odd_numbers_and_empty_pieces_do_no_harm() -> None:
    words = whole_words([Piece(-0.1, -0.2, " a", 1.0001), Piece(1, 1, " ")], "en")
    assert words == [Word(start_s=0, end_s=0, text="a", confidence=1)]


def test_a_loop_is_said_once_and_reported() -> None:
    words = [Word(start_s=n, end_s=n + 0.5, text="so", confidence=1) for n in range(10)]
    assert said_once(words) == (words[:1], [DroppedSpeech(start_s=1, end_s=9.5, reason="repetition")])


def test_times_move_with_the_unit() -> None:
    unit = SpeechUnit(
        language="en",
        engine="e",
        words=(Word(start_s=0.1234, end_s=0.5, text="a", confidence=1),),
        dropped=(DroppedSpeech(start_s=1, end_s=2, reason="silence"),),
    )
    later = moved(unit, 60)
    assert later.words[0].start_s == pytest.approx(60.123)
    assert (later.dropped[0].start_s, later.dropped[0].end_s) == (61, 62)
