"""Joins recognised units into one transcript, cut into sentences.

Everything here is a function of the set of units: neither their order of arrival nor a repeated one changes a byte.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from services.transcription.speech.recognise import SpeechUnit
from services.transcription.speech.repetition import plain
from services.transcription.speech.sentences import cut_into_sentences, text_of, with_forgotten_stops
from shared.documents import Segment, TimeSpan, Transcript, Utterance, Word

# Two units that overlap hear the same word at about the same time.
SAME_WORD_WITHIN_S = 1.0
NO_LANGUAGE, NO_ENGINE = "en", "none"


def join_units(units: list[SpeechUnit], duration_s: float) -> Transcript:
    """The transcript of a recording of `duration_s` seconds from all of its units, in any order, repeated or not.

    Where units overlap, what both heard is kept once. Times are whole milliseconds within the recording and never go
    back; confidences have three digits.
    """
    distinct = sorted({unit.model_dump_json(): unit for unit in units}.values(), key=_place)
    words: list[Word] = []
    for unit in distinct:
        words = _seamed(words, list(unit.words))
    language = _language(distinct)
    segments = tuple(
        Segment(
            start_s=sentence[0].start_s,
            end_s=max(word.end_s for word in sentence),
            text=text_of(sentence, language),
            words=tuple(sentence),
        )
        for sentence in cut_into_sentences(with_forgotten_stops(_tidy(words, duration_s), language))
    )
    return Transcript(
        language=language,
        duration_s=round(duration_s, 3),
        engine=", ".join(sorted({unit.engine for unit in distinct})) or NO_ENGINE,
        segments=segments,
    )


def to_utterances(transcript: Transcript) -> list[Utterance]:
    """The segments as blocks of a document, `u1`, `u2` ... in order; which slide was shown is not known here."""
    return [
        Utterance(id=f"u{number}", text=segment.text, time=TimeSpan(start_s=segment.start_s, end_s=segment.end_s))
        for number, segment in enumerate(transcript.segments, start=1)
    ]


def _place(unit: SpeechUnit) -> tuple[float, float, str]:
    """Sorts units by when they begin to speak; the last part decides between any two that differ at all."""
    if not unit.words:
        return (0.0, 0.0, unit.model_dump_json())
    return (unit.words[0].start_s, unit.words[-1].end_s, unit.model_dump_json())


def _language(units: Iterable[SpeechUnit]) -> str:
    """The language of most words; of two alike, the first by name."""
    counts = Counter[str]()
    for unit in units:
        counts[unit.language] += len(unit.words)
    return min(counts, key=lambda language: (-counts[language], language), default=NO_LANGUAGE)


class _Match(NamedTuple):
    """A run of `length` words that both sides heard: from index `first` in the one and `second` in the other."""

    length: int
    first: int
    second: int


def _seamed(earlier: list[Word], later: list[Word]) -> list[Word]:
    """Both in order, with what both heard kept once; `later` does not begin before `earlier` does."""
    if not earlier or not later:
        return earlier or later
    begins_s, ends_s = later[0].start_s, earlier[-1].end_s
    if begins_s >= ends_s:
        return earlier + later
    if later[-1].end_s <= ends_s:
        return earlier
    tail = next(index for index, word in enumerate(earlier) if word.end_s > begins_s)
    head = sum(word.start_s < ends_s for word in later)
    match = _longest_match(earlier[tail:], later[:head])
    if match:
        return earlier[: tail + match.first + match.length] + later[match.second + match.length :]
    seam_s = (begins_s + ends_s) / 2
    return [word for word in earlier if _middle_s(word) < seam_s] + [
        word for word in later if _middle_s(word) >= seam_s
    ]


def _longest_match(tail: list[Word], head: list[Word]) -> _Match | None:
    """The longest run of words that are the same in both at about the same time; the first of those."""
    best: _Match | None = None
    for first in range(len(tail)):
        for second in range(len(head)):
            length = 0
            while first + length < len(tail) and second + length < len(head):
                if not same_word(tail[first + length], head[second + length]):
                    break
                length += 1
            if length and (best is None or length > best.length):
                best = _Match(length, first, second)
    return best


def same_word(one: Word, other: Word) -> bool:
    """Whether two hearings of the same sound have this word in common."""
    return plain(one.text) == plain(other.text) and abs(one.start_s - other.start_s) < SAME_WORD_WITHIN_S


def _middle_s(word: Word) -> float:
    return (word.start_s + word.end_s) / 2


def _tidy(words: list[Word], duration_s: float) -> list[Word]:
    """Rounded, inside the recording, never going back."""
    tidy: list[Word] = []
    latest_s = 0.0
    for word in words:
        start_s = max(round(min(word.start_s, duration_s), 3), latest_s)
        end_s = max(round(min(word.end_s, duration_s), 3), start_s)
        latest_s = start_s
        tidy.append(Word(start_s=start_s, end_s=end_s, text=word.text, confidence=round(word.confidence, 3)))
    return tidy
