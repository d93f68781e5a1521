"""Captions cut from recognised words: sentences first, then lines a viewer can read in time.

The limits are those of common subtitling guidelines: two lines of 42 characters, 0.8 to 6.5 seconds, about 17
characters a second and at most 25 where there is room for it, two frames between cues.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest

from services.rendering.domain.cue_repair import MOST_CHARACTERS_PER_S, NEAR_S, SHORTEST_S, CueRepair
from services.rendering.domain.text import clean
from shared.documents import Segment, Transcript, Word

LINE_CHARACTERS = 42
LINES = 2
LONGEST_S = 6.5
COMFORTABLE_S = 1.0
CHARACTERS_PER_S = 17.0
GAP_S = 0.084  # two frames at 24 a second
ROUNDING_S = 0.002
LAG_S = 0.5  # a caption may begin so much after its words, where those before it need the time
PAUSE_S = 1.2  # a longer silence inside a sentence ends the cue
JOIN_PAUSE_S = 0.5
_SENTENCE_END = re.compile(r"[.!?…。！？]['\"”’)\]]*$")
_CLAUSE_END = re.compile(r"[,;:、，–—]['\"”’)\]]*$")
_STAYS_WITH_NEXT = re.compile(
    r"an?|the|of|to|in|on|at|by|for|with|from|as|and|or|but|if|that|which|who|is|are|was|were|be|my|your|his|her|its"
    r"|our|their|this|these|those|not|no|very|more|most|than|into",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Cue:
    """A caption: one or two lines of at most 42 characters, shown from `start_s` to `end_s`."""

    start_s: float
    end_s: float
    lines: tuple[str, ...]


def cues_of(transcript: Transcript) -> list[Cue]:
    """Cues in order, without overlap; none for a transcript without words."""
    groups: list[list[Word]] = []
    for sentence in _sentences(_ordered(transcript)):
        for group in _split(sentence):
            if groups and _joins(groups[-1], group):
                groups[-1] = groups[-1] + group
            else:
                groups.append(group)
    groups = CueRepair(_fits, _cost, gap_s=GAP_S, pause_s=PAUSE_S)(groups)
    return list(_timed([Cue(g[0].start_s, g[-1].end_s, _lines(g) or ("",)) for g in groups]))


def _ordered(transcript: Transcript) -> Iterator[Word]:
    """Words with visible text in time order, none starting before the last one ended or wider than a line."""
    latest_s = 0.0
    for segment in transcript.segments:
        for word in segment.words or tuple(_spread(segment)):
            if text := clean(word.text):
                start_s = max(word.start_s, latest_s)
                latest_s = max(word.end_s, start_s)
                yield from _pieces(text, start_s, latest_s, word.confidence)


def _spread(segment: Segment) -> Iterator[Word]:
    """The words of a segment that came without word times, spread over it by their length."""
    yield from _even(segment.text.split(), segment.start_s, segment.end_s, 1.0)


def _pieces(text: str, start_s: float, end_s: float, confidence: float) -> Iterator[Word]:
    tokens = [text[i : i + LINE_CHARACTERS] for token in text.split() for i in range(0, len(token), LINE_CHARACTERS)]
    yield from _even(tokens, start_s, end_s, confidence)


def _even(tokens: list[str], start_s: float, end_s: float, confidence: float) -> Iterator[Word]:
    total = sum(map(len, tokens)) or 1
    seen = 0
    for token in tokens:
        begin = start_s + (end_s - start_s) * seen / total
        seen += len(token)
        end = start_s + (end_s - start_s) * seen / total
        yield Word(start_s=begin, end_s=max(begin, end), text=token, confidence=confidence)


def _sentences(words: Iterator[Word]) -> Iterator[list[Word]]:
    sentence: list[Word] = []
    for word in words:
        if sentence and word.start_s - sentence[-1].end_s > PAUSE_S:
            yield sentence
            sentence = []
        sentence.append(word)
        if _SENTENCE_END.search(word.text) or len(sentence) >= 200:  # speech without full stops
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _split(words: list[Word]) -> list[list[Word]]:
    """The words in as few groups that fit as come from halving at the best place."""
    if len(words) == 1 or _fits(words):
        return [words]
    cut = min(range(1, len(words)), key=lambda n: _cost(words, n))
    return _split(words[:cut]) + _split(words[cut:])


def _cost(words: list[Word], cut: int) -> float:
    """How bad a cut before word `cut` is: away from the middle, inside a phrase; good after a comma or a pause."""
    left = len(_text(words[:cut]))
    right = len(_text(words[cut:]))
    cost = abs(left - right) / (left + right)
    before = words[cut - 1]
    if _SENTENCE_END.search(before.text):
        cost -= 0.5
    if _CLAUSE_END.search(before.text):
        cost -= 0.35
    if _STAYS_WITH_NEXT.fullmatch(before.text):
        cost += 0.3
    return cost - min(0.3, words[cut].start_s - before.end_s)


def _fits(words: list[Word]) -> bool:
    return words[-1].end_s - words[0].start_s <= LONGEST_S and _lines(words) is not None


def _joins(first: list[Word], second: list[Word]) -> bool:
    """Whether a short cue is better read together with the one after it."""
    short = min(len(_text(first)), len(_text(second))) <= 20
    return short and second[0].start_s - first[-1].end_s <= JOIN_PAUSE_S and _fits(first + second)


def _lines(words: list[Word]) -> tuple[str, ...] | None:
    """The words on one line or two, broken where that reads best; None when they do not fit."""
    whole = _text(words)
    if len(whole) <= LINE_CHARACTERS:
        return (whole,)
    if len(whole) > LINES * LINE_CHARACTERS + 1:
        return None
    pairs = ((cut, (_text(words[:cut]), _text(words[cut:]))) for cut in range(1, len(words)))
    fitting = [(cut, pair) for cut, pair in pairs if max(map(len, pair)) <= LINE_CHARACTERS]
    return min(fitting, key=lambda item: _cost(words, item[0]))[1] if fitting else None


def _text(words: list[Word]) -> str:
    text = ""
    for word in words:
        text += word.text if not text or _unspaced(text[-1], word.text[0]) else " " + word.text
    return text


def _unspaced(left: str, right: str) -> bool:
    """Whether two characters stand side by side without a space, as in Chinese and Japanese."""
    return _is_wide(left) and _is_wide(right)


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in {"W", "F"} and not "\uac00" <= character <= "\ud7a3"


def _timed(cues: list[Cue]) -> Iterator[Cue]:
    """Cues that stay long enough to be read where the next one leaves room, never overlap and never are empty."""
    earliest_s = 0.0
    for cue, following in zip_longest(cues, cues[1:]):
        start_s = max(cue.start_s, earliest_s)
        characters = sum(map(len, cue.lines)) + len(cue.lines) - 1
        limit_s = following.start_s - _gap_s(cue, following) if following else float("inf")
        wanted_s = max(COMFORTABLE_S, characters / CHARACTERS_PER_S)
        end_s = min(max(cue.end_s, start_s + wanted_s), limit_s, start_s + LONGEST_S)
        needed_s = start_s + characters / MOST_CHARACTERS_PER_S + ROUNDING_S
        end_s = max(end_s, min(needed_s, limit_s + LAG_S), start_s + SHORTEST_S)  # the next one waits
        earliest_s = end_s + GAP_S
        yield replace(cue, start_s=round(start_s, 3), end_s=round(end_s, 3))


def _gap_s(cue: Cue, following: Cue) -> float:
    """A word that is alone on screen has nothing close by."""
    is_lone = any(len(one.lines) == 1 and " " not in one.lines[0] for one in (cue, following))
    return NEAR_S + ROUNDING_S if is_lone else GAP_S
