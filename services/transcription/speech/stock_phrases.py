"""Phrases that Whisper learned from the ends of videos and writes for laughter, music and silence (SPE-4)."""

from services.transcription.speech.recognise import DroppedSpeech, SpeechUnit
from services.transcription.speech.repetition import plain

_THANKS = ("thank you", "thanks", "thank you so much", "thank you very much")
STOCK_PHRASES = frozenset(
    tuple(phrase.split())
    for phrase in (
        *_THANKS,
        *(f"{thanks} for {what}" for thanks in _THANKS for what in ("watching", "listening")),
        *("you", "bye", "see you next time", "please subscribe", "music", "applause", "laughter"),
    )
)
_LONGEST = max(map(len, STOCK_PHRASES))


def without_stock_phrases(units: list[SpeechUnit]) -> list[SpeechUnit]:
    """The units of a recording, without words if there are none but stock phrases in all of them together.

    Beside other speech thanks are kept: lecturers do thank. Each unit says where words were left out.
    """
    spoken = [[plain(word.text) for word in unit.words] for unit in units]
    return [_without_words(unit) for unit in units] if all(map(_is_stock, spoken)) else units


def _is_stock(words: list[str]) -> bool:
    """Whether the words are stock phrases, one after another."""
    reached = {0}
    for start in range(len(words)):
        if start in reached:
            lengths = range(1, _LONGEST + 1)
            reached |= {start + length for length in lengths if tuple(words[start : start + length]) in STOCK_PHRASES}
    return len(words) in reached


def _without_words(unit: SpeechUnit) -> SpeechUnit:
    if not unit.words:
        return unit
    left_out = DroppedSpeech(start_s=unit.words[0].start_s, end_s=unit.words[-1].end_s, reason="silence")
    return unit.model_copy(update={"words": (), "dropped": (*unit.dropped, left_out)})
