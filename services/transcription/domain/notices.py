"""What the reader of a handout is told about a recording that was not wholly understood."""

from collections.abc import Iterable, Sequence

from services.transcription.speech.recognise import DroppedSpeech, SpeechUnit
from shared.documents import Transcript, Word

DOUBTFUL = (
    "The speech in this recording was hardly understood: it may not be English, or the sound is poor. "
    "What stands here as said may be wrong; compare it with the recording."
)
NO_SPEECH = "No speech was found in this recording."
NO_TEXT = "No text was found in this document."
NO_SLIDES = "No slides were found in this video, so the handout has what was said only."
# Mean of the words' confidence. English is read at .93 to .98, by synthetic voices of other accents at .76 to .90,
# another language by the English model at .44 to .66; where it falls into a loop it is sure of itself.
LEAST_CONFIDENCE = 0.7
LEAST_WORDS = 5
# Of the speech, how much was not understood or was a loop: 13 % at most for those accents, half for other languages.
MOST_LOST_SHARE = 0.35
MUCH_LOST_S = 4.0
SHOWN_TIMES = 6
MUCH_VIDEO_S = 60.0


def speech_notices(units: Iterable[SpeechUnit], transcript: Transcript) -> list[str]:
    """One sentence each for speech that is doubted, was not understood, or was left out."""
    words = [word for segment in transcript.segments for word in segment.words]
    notices = []
    dropped = sorted({span for unit in units for span in unit.dropped}, key=lambda span: (span.start_s, span.end_s))
    lost = [span for span in dropped if span.reason in ("missed", "unintelligible")]
    repeated = [span for span in dropped if span.reason == "repetition"]
    silent = [span for span in dropped if span.reason == "silence"]
    if _is_doubtful(words, [*lost, *repeated]):
        notices.append(DOUBTFUL)
    if silent:
        notices.append(f"Where nobody seems to speak, no words are given: {_times(silent)}.")
    if lost:
        notices.append(f"Speech could not be understood at {_times(lost)}.")
    if repeated:
        notices.append(f"Speech that seemed to repeat itself was left out at {_times(repeated)}.")
    return notices


def _is_doubtful(words: Sequence[Word], lost: Sequence[DroppedSpeech]) -> bool:
    if len(words) >= LEAST_WORDS and sum(word.confidence for word in words) / len(words) < LEAST_CONFIDENCE:
        return True
    heard_s, lost_s = (sum(span.end_s - span.start_s for span in spans) for spans in (words, lost))
    return lost_s >= MUCH_LOST_S and lost_s > MOST_LOST_SHARE * (heard_s + lost_s)


def no_slides_notice(duration_s: float | None, *, slides_found: bool, other_notices: bool) -> list[str]:
    """Says that a video of a minute or more has no slides, unless the reason is told already."""
    tells = not slides_found and not other_notices and (duration_s or 0.0) >= MUCH_VIDEO_S
    return [NO_SLIDES] if tells else []


def untrue_notices(missing_units: Iterable[str]) -> set[str]:
    """The notices that do not hold where units of these names are incomplete: what was not read is not absent."""
    of_kind = {"speech": NO_SPEECH, "slides": NO_SLIDES, "pages": NO_TEXT}
    return {of_kind[name.partition("-")[0]] for name in missing_units}


def _times(spans: list[DroppedSpeech]) -> str:
    shown = [_clock(span.start_s) for span in spans[:SHOWN_TIMES]]
    more = len(spans) - len(shown)
    return ", ".join(dict.fromkeys(shown)) + (f" and {more} more places" if more else "")


def _clock(seconds: float) -> str:
    hours, minutes = divmod(int(seconds) // 60, 60)
    return f"{hours}:{minutes:02}:{int(seconds) % 60:02}" if hours else f"{minutes}:{int(seconds) % 60:02}"
