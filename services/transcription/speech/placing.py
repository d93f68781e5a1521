"""Repetitions set where the voice is (SPE-4).

The recogniser writes a phrase that is said again and again about as often as it is said, but loses its place: times
drift into pauses and stand still, and one too many is written at the end. Who repeats a phrase takes as long each
time, so stretches of voice that are alike say where and how often it was said.
"""

from collections.abc import Sequence
from itertools import accumulate

from services.transcription.speech.chunks import WORD_SLACK_S, Span, stretch_at
from services.transcription.speech.drills import LEAST_CONFIDENCE, MOST_CHARACTERS_PER_S
from services.transcription.speech.repetition import Loop, find_repeated
from shared.documents import Word

LEAST_TIMES = 3
MOST_STRETCHES = 3  # that one repetition is divided into by its own pauses
ALIKE = 1.4  # the longest to the shortest
# More often than twice for each stretch is a loop of the recogniser, which other rules judge.
MOST_TIMES = 2


def placed(words: Sequence[Word], spans: Sequence[Span]) -> list[Word]:
    """The words, each repetition of a phrase in voice of its own, and none more than there is voice for.

    Both are in order, in seconds of the same sound. Where the voice does not tell, words stay as they are.
    """
    kept: list[Word] = []
    position = 0
    for run in find_repeated([word.text for word in words], LEAST_TIMES):
        kept += words[position : run.start]
        kept += _placed_run(words, run, spans)
        position = run.end
    return [*kept, *words[position:]]


def _placed_run(words: Sequence[Word], run: Loop, spans: Sequence[Span]) -> list[Word]:
    within = list(words[run.start : run.end])
    places = _places(_around(words, run, spans), run.times)
    sure = sum(word.confidence for word in within) / len(within) >= LEAST_CONFIDENCE
    if not places or not sure:
        return within
    times = [within[at : at + run.phrase_length] for at in range(0, len(within), run.phrase_length)]
    starts, wanted = [time[0].start_s for time in times], [place[0].start_s for place in places]
    if len(times) > len(places):
        if any(sum(_fits(time, stretch) for time in times) > 1 for place in places for stretch in place):
            return within
        times = [times[index] for index in _nearest(wanted, starts)]
    else:
        places = [places[index] for index in _nearest(starts, wanted)]
    return [word for time, place in zip(times, places, strict=True) for word in _moved(time, place)]


def _around(words: Sequence[Word], run: Loop, spans: Sequence[Span]) -> list[Span]:
    """The stretches between those of the words before and after the run; none where it shares one with them."""
    first_s = words[run.start].start_s
    begin, end = _index(spans, first_s), _index(spans, words[run.end - 1].start_s + WORD_SLACK_S)
    if run.start:
        before = stretch_at(spans, words[run.start - 1].start_s)
        begin = _index(spans, words[run.start - 1].start_s) if before is None else before + 1
        if before is not None and first_s < spans[before].end_s - WORD_SLACK_S:
            return []
    if run.end < len(words):
        after = stretch_at(spans, words[run.end].start_s)
        end = _index(spans, words[run.end].start_s) if after is None else after
        if after is not None and words[run.end - 1].start_s > spans[after].start_s + WORD_SLACK_S:
            return []
    else:
        end = min(len(spans), end + 1)
    return list(spans[begin:end])


def _index(spans: Sequence[Span], time_s: float) -> int:
    """The index of the first stretch that ends after `time_s`."""
    return next((index for index, span in enumerate(spans) if span.end_s > time_s), len(spans))


def _places(stretches: list[Span], times: int) -> list[list[Span]]:
    """The stretches of each repetition that there is voice for; none if they are not alike, or far too few."""
    found = [
        [stretches[at : at + size] for at in range(0, len(stretches), size)]
        for size in range(1, MOST_STRETCHES + 1)
        if len(stretches) % size == 0 and all(_alike(stretches[at::size]) for at in range(size))
    ]
    fitting = [places for places in found if len(places) >= 2 and times <= MOST_TIMES * len(places)]
    return min(fitting, key=lambda places: abs(len(places) - times), default=[])


def _alike(stretches: list[Span]) -> bool:
    lengths = [span.end_s - span.start_s for span in stretches]
    return bool(lengths) and max(lengths) <= ALIKE * min(lengths)


def _fits(time: list[Word], stretch: Span) -> bool:
    """Whether one repetition was heard within the stretch, no faster than anybody speaks."""
    heard_s = min(time[-1].end_s, stretch.end_s) - max(time[0].start_s, stretch.start_s)
    return sum(len(word.text) for word in time) <= MOST_CHARACTERS_PER_S * heard_s


def _nearest(few: list[float], many: list[float]) -> list[int]:
    """For each of the `few` times the index of one of its own of the `many`, in order, at the least distance in all."""
    best: list[tuple[float, list[int]]] = [(0.0, []), *((float("inf"), []) for _ in few)]
    for index, time in enumerate(many):
        for count in range(min(len(few), index + 1), 0, -1):
            distance, chosen = best[count - 1]
            further = (distance + abs(few[count - 1] - time), [*chosen, index])
            best[count] = min(best[count], further, key=lambda one: one[0])
    return best[-1][1]


def _moved(time: list[Word], place: list[Span]) -> list[Word]:
    """The words of one repetition within its place: as they are, or else spread over its voice by their letters."""
    if abs(time[0].start_s - place[0].start_s) <= WORD_SLACK_S and time[-1].start_s < place[-1].end_s:
        return time
    letters = [0, *accumulate(len(word.text) for word in time)]
    a_letter_s = sum(span.end_s - span.start_s for span in place) / letters[-1]
    spread = []
    for index, word in enumerate(time):
        start_s = _after(place, a_letter_s * letters[index])
        end_s = start_s + a_letter_s * len(word.text)
        spread.append(word.model_copy(update={"start_s": start_s, "end_s": min(end_s, place[-1].end_s)}))
    return spread


def _after(place: list[Span], voiced_s: float) -> float:
    """The moment at which so much of the place's voice has been heard."""
    for span in place[:-1]:
        if voiced_s < span.end_s - span.start_s:
            return span.start_s + voiced_s
        voiced_s -= span.end_s - span.start_s
    return place[-1].start_s + voiced_s
