"""What the reader of a handout is told about a recording that was not wholly understood."""

import itertools
from collections.abc import Iterable, Sequence

from services.transcription.speech.recognise import DroppedSpeech, SpeechUnit
from shared.documents import Segment, TimeSpan, Transcript, Word
from shared.speech_notices import (
    DOUBTFUL,
    NO_SPEECH,
    NO_SPEECH_HEARD,
    NOT_UNDERSTOOD,
    NOTHING_UNDERSTOOD,
    PARTLY_DOUBTFUL,
    REPETITION,
    UNREADABLE_SOUND,
    is_about_other_tracks,
    is_about_unheard_tracks,
)

NO_TEXT = "No text was found in this document."
NO_SLIDES = "No slides were found in this video, so the handout has what was said only."
# Mean of the words' confidence. English is read at .93 to .98, by synthetic voices of other accents at .76 to .90,
# another language by the English model at .44 to .66; where it falls into a loop it is sure of itself.
LEAST_CONFIDENCE = 0.7
LEAST_WORDS = 5
# Of sentences one after another that are all below it; a question from the hall, or a name, is shorter.
STRETCH_WORDS, STRETCH_S = 15, 8.0
# Of the speech, how much was not understood or was a loop: 13 % at most for those accents, half for other languages.
MOST_LOST_SHARE = 0.35
MUCH_LOST_S = 4.0
SHOWN_TIMES = 6
MUCH_VIDEO_S = 60.0
LEAST_COVERED_SHARE = 0.5


def speech_notices(units: Iterable[SpeechUnit], transcript: Transcript) -> list[str]:
    """One sentence each for speech that is doubted, was not understood, or was left out."""
    words = [word for segment in transcript.segments for word in segment.words]
    notices = []
    dropped = sorted({span for unit in units for span in unit.dropped}, key=lambda span: (span.start_s, span.end_s))
    lost = [span for span in dropped if span.reason in ("missed", "unintelligible")]
    repeated = [span for span in dropped if span.reason == "repetition"]
    silent = [span for span in dropped if span.reason == "silence"]
    if words and _is_doubtful(words, [*lost, *repeated]):
        notices.append(DOUBTFUL)
    elif doubtful := _doubtful_stretches(transcript.segments):
        notices.append(PARTLY_DOUBTFUL.format(times=_times(doubtful)))
    if silent:
        notices.append(f"Where nobody seems to speak, no words are given: {_times(silent)}.")
    if lost:
        notices.append(NOT_UNDERSTOOD.format(times=_times(lost)))
    if repeated:
        notices.append(REPETITION.format(times=_times(repeated)))
    return notices


def no_words_notice(units: Iterable[SpeechUnit], transcript: Transcript, of_source: Iterable[str]) -> list[str]:
    """Says why there are no words: nobody speaks, or nothing of it was understood. Little of it is told by itself.

    `of_source` is what ingest tells of the source. Of sound that it could not read nothing is known, and of tracks
    that it left out after some without speech it has said so itself.
    """
    of_source = tuple(of_source)
    if transcript.segments or UNREADABLE_SOUND in of_source or any(map(is_about_unheard_tracks, of_source)):
        return []
    dropped = [span for unit in units for span in unit.dropped if span.reason != "silence"]
    if _seconds([span for span in dropped if span.reason != "repetition"]) >= MUCH_LOST_S:
        return [NOTHING_UNDERSTOOD]
    if dropped:
        return []
    return [NO_SPEECH_HEARD if any(map(is_about_other_tracks, of_source)) else NO_SPEECH]


def _is_doubtful(words: Sequence[Word], lost: Sequence[DroppedSpeech]) -> bool:
    if len(words) >= LEAST_WORDS and _confidence(words) < LEAST_CONFIDENCE:
        return True
    lost_s = _seconds(lost)
    return lost_s >= MUCH_LOST_S and lost_s > MOST_LOST_SHARE * (_seconds(words) + lost_s)


def _doubtful_stretches(segments: Iterable[Segment]) -> list[TimeSpan]:
    """Where sentences one after another were hardly understood, for long enough."""
    found = []
    for doubted, run in itertools.groupby(segments, lambda segment: _confidence(segment.words) < LEAST_CONFIDENCE):
        words = [word for segment in run for word in segment.words]
        if doubted and len(words) >= STRETCH_WORDS and words[-1].end_s - words[0].start_s >= STRETCH_S:
            found.append(TimeSpan(start_s=words[0].start_s, end_s=words[-1].end_s))
    return found


def _confidence(words: Sequence[Word]) -> float:
    return sum(word.confidence for word in words) / max(1, len(words))


def _seconds(spans: Sequence[Word | DroppedSpeech]) -> float:
    return sum(span.end_s - span.start_s for span in spans)


def slides_notice(duration_s: float | None, shown: Iterable[TimeSpan], *, other_notices: bool) -> list[str]:
    """Says of a video of a minute or more that it has no slides, or for how little of it; `shown` may overlap.

    Nothing is said where the reason is told already.
    """
    if other_notices or duration_s is None or duration_s < MUCH_VIDEO_S:
        return []
    covered_s = reached_s = 0.0
    for span in sorted(shown, key=lambda span: span.start_s):
        covered_s += max(0.0, span.end_s - max(span.start_s, reached_s))
        reached_s = max(reached_s, span.end_s)
    if not covered_s:
        return [NO_SLIDES]
    if covered_s >= LEAST_COVERED_SHARE * duration_s:
        return []
    share = f"{_clock(covered_s)} of the {_clock(duration_s)}"
    return [f"Slides were found for only {share} of this video; what else it shows is not in the handout."]


def untrue_notices(missing_units: Iterable[str]) -> set[str]:
    """The notices that do not hold where units of these names are incomplete: what was not read is not absent."""
    of_kind = {"speech": (NO_SPEECH, NO_SPEECH_HEARD), "slides": (NO_SLIDES,), "pages": (NO_TEXT,)}
    return {notice for name in missing_units for notice in of_kind[name.partition("-")[0]]}


def _times(spans: Sequence[TimeSpan | DroppedSpeech]) -> str:
    shown = [_clock(span.start_s) for span in spans[:SHOWN_TIMES]]
    more = len(spans) - len(shown)
    return ", ".join(dict.fromkeys(shown)) + (f" and {more} more places" if more else "")


def _clock(seconds: float) -> str:
    hours, minutes = divmod(int(seconds) // 60, 60)
    return f"{hours}:{minutes:02}:{int(seconds) % 60:02}" if hours else f"{minutes}:{int(seconds) % 60:02}"
