"""Repetition that is said: drills, refrains and counts, told from a recogniser's loop by the voice beneath (SPE-4).

Who says a phrase again makes a pause before it, so each repetition begins in a voiced stretch of its own. The times of
a loop stand still or run through one stretch.
"""

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise

from services.transcription.speech.chunks import WORD_SLACK_S, Span
from services.transcription.speech.recognise import DroppedSpeech
from services.transcription.speech.repetition import Loop, find_loops
from shared.documents import Word

# A loop is often believed by the recogniser, so confidence can only speak against a repetition.
LEAST_CONFIDENCE = 0.4
# Nobody articulates faster; the slack is for word times.
MOST_CHARACTERS_PER_S = 30.0
# A pause inside a word, as before a stop consonant, is shorter.
PAUSE_S = 0.3
SHORTEST_STRETCH_S = 0.3


@dataclass(frozen=True)
class Repeated:
    """What remains of words with loops in them.

    `words` are without the repetitions that nobody said, `dropped` says where those stood, `silent` are the voiced
    stretches between the first and the last repetition that no word was found for.
    """

    words: list[Word]
    dropped: list[DroppedSpeech]
    silent: list[Span]


def said_repeatedly(words: list[Word], spans: list[Span]) -> Repeated | None:
    """The words with every loop kept as far as it is said; None if there is no loop, or one that is said only once.

    `spans` are the voiced stretches in order; times are those of `words`.
    """
    loops = find_loops([word.text for word in words])
    kept: list[Word] = []
    dropped: list[DroppedSpeech] = []
    silent: list[Span] = []
    position = 0
    for loop in loops:
        times = _repetitions(words, loop)
        said = _said(times, spans)
        if len(said) < 2:
            return None
        in_voice = _within_stretches([word for number in said for word in times[number]], spans)
        kept += words[position : loop.start] + in_voice
        dropped += [_left_out(time) for number, time in enumerate(times) if number not in said]
        silent += unworded(spans, in_voice, Span(in_voice[0].start_s, words[loop.end - 1].end_s))
        position = loop.end
    return Repeated(kept + words[position:], dropped, silent) if loops else None


def unworded(spans: list[Span], words: list[Word], within: Span) -> list[Span]:
    """The stretches of 0.3 s and more that lie in `within` and hold nothing of a word."""
    return [
        span
        for span in spans
        if within.start_s <= span.start_s
        and span.end_s <= within.end_s + WORD_SLACK_S
        and span.end_s - span.start_s >= SHORTEST_STRETCH_S
        and not any(_shares(word, span) for word in words)
    ]


def _shares(word: Word, span: Span) -> bool:
    return word.start_s < span.end_s and max(word.end_s, word.start_s + 0.02) > span.start_s


def _repetitions(words: list[Word], loop: Loop) -> list[list[Word]]:
    return [words[at : at + loop.phrase_length] for at in range(loop.start, loop.end, loop.phrase_length)]


def _said(times: list[list[Word]], spans: list[Span]) -> list[int]:
    """The numbers of the repetitions that begin in a stretch of their own which has room for them."""
    said: list[int] = []
    latest = -1
    for number, time in enumerate(times):
        stretch = _stretch_at(spans, time[0].start_s)
        if stretch is None or stretch <= latest or sum(w.confidence for w in time) / len(time) < LEAST_CONFIDENCE:
            continue
        voiced_s = sum(_overlap_s(span, time[0].start_s, time[-1].end_s) for span in spans[stretch:])
        if sum(len(word.text) for word in time) <= MOST_CHARACTERS_PER_S * (voiced_s + WORD_SLACK_S):
            said.append(number)
            latest = stretch
    return said


def _stretch_at(spans: list[Span], time_s: float) -> int | None:
    """The index of the stretch that `time_s` lies in or, within the slack of word times, next to."""
    after = bisect_left(spans, time_s, key=lambda span: span.end_s)
    near = [index for index in (after - 1, after) if 0 <= index < len(spans)]
    best = min(near, key=lambda index: _distance_s(spans[index], time_s), default=None)
    return best if best is not None and _distance_s(spans[best], time_s) <= WORD_SLACK_S else None


def _distance_s(span: Span, time_s: float) -> float:
    return max(span.start_s - time_s, time_s - span.end_s, 0.0)


def _overlap_s(span: Span, start_s: float, end_s: float) -> float:
    return max(0.0, min(span.end_s, end_s) - max(span.start_s, start_s))


def _within_stretches(words: list[Word], spans: list[Span]) -> list[Word]:
    """The words, none reaching over a pause: a word is stretched over what the recogniser passed over."""
    inside = []
    for word in words:
        pause_s = next(
            (
                span.end_s
                for span, following in pairwise(spans)
                if span.end_s > word.start_s
                and following.start_s - span.end_s >= PAUSE_S
                and following.start_s < word.end_s
            ),
            word.end_s,
        )
        inside.append(word.model_copy(update={"end_s": min(pause_s, word.end_s)}))
    return inside


def _left_out(time: list[Word]) -> DroppedSpeech:
    start_s = time[0].start_s
    return DroppedSpeech(start_s=start_s, end_s=max(time[-1].end_s, start_s), reason="repetition")
