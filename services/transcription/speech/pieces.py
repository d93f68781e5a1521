"""From the pieces that Whisper writes to words."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from services.transcription.speech.recognise import DroppedSpeech, SpeechUnit
from services.transcription.speech.repetition import find_loops, without_loops
from services.transcription.speech.sentences import UNSPACED_LANGUAGES
from shared.documents import Word

Span = TypeVar("Span", Word, DroppedSpeech)


class Piece(Protocol):
    """What faster-whisper calls a word: text that begins with a space unless it continues the piece before."""

    start: float
    end: float
    word: str
    probability: float


def whole_words(pieces: Iterable[Piece], language: str) -> list[Word]:
    """The pieces as words: `error`, `-correcting` become one, as confident as its weaker part."""
    words: list[Word] = []
    for piece in pieces:
        word = Word(
            start_s=max(piece.start, 0.0),
            end_s=max(piece.end, piece.start, 0.0),
            text=piece.word.strip(),
            confidence=min(max(piece.probability, 0.0), 1.0),
        )
        if words and not piece.word.startswith(" ") and language not in UNSPACED_LANGUAGES:
            words[-1] = _glued(words[-1], word)
        elif word.text:
            words.append(word)
    return words


def said_once(words: list[Word]) -> tuple[list[Word], list[DroppedSpeech]]:
    """The words with each loop said once, and the spans of what was left out."""
    texts = [word.text for word in words]
    dropped = []
    for loop in find_loops(texts):
        start_s = words[loop.start + loop.phrase_length].start_s
        end_s = max(words[loop.end - 1].end_s, start_s)
        dropped.append(DroppedSpeech(start_s=start_s, end_s=end_s, reason="repetition"))
    return [words[index] for index in without_loops(texts)], dropped


def moved(unit: SpeechUnit, by_s: float) -> SpeechUnit:
    """The unit with all of its times `by_s` later, in whole milliseconds."""
    return unit.model_copy(
        update={
            "words": tuple(_later(word, by_s) for word in unit.words),
            "dropped": tuple(_later(span, by_s) for span in unit.dropped),
        }
    )


def _later(span: Span, by_s: float) -> Span:
    times = {"start_s": round(span.start_s + by_s, 3), "end_s": round(span.end_s + by_s, 3)}
    return span.model_copy(update=times)


def _glued(first: Word, second: Word) -> Word:
    return Word(
        start_s=first.start_s,
        end_s=max(first.end_s, second.end_s),
        text=first.text + second.text,
        confidence=min(first.confidence, second.confidence),
    )
