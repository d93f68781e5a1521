"""Speech without words: where somebody speaks and nothing was heard, and what a second hearing adds there (SPE-4).

Whisper stops before the end of a fast passage and stretches its last word over the rest. So a word counts for no longer
than it can last, and what is left is heard once more together with the words beside it, which show where it fits in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from services.transcription.speech.chunks import LONGEST_CHUNK_S, Span, with_margin
from services.transcription.speech.join import same_word
from services.transcription.speech.repetition import plain
from shared.documents import Word

SHORTEST_GAP_S = 0.35
# How far the time of a word may be off, at the most that is still worth a second hearing.
GAP_SLACK_S = 0.2
# Shorter ones may be an "uh": heard again, but not told when no word is found.
SHORTEST_TOLD_S = 1.2
# How long a word lasts at most in slow speech. A digit or a sign stands for a word of its own.
WORD_S, LETTER_S, SIGN_S = 0.3, 0.1, 0.5
# Words that are heard again beside a gap, and how far from it they may be.
BESIDE_S = 2.0
LEAST_CONFIDENCE = 0.5


class Timed(Protocol):
    """Anything with a start and an end."""

    @property
    def start_s(self) -> float:
        """Seconds."""
        ...

    @property
    def end_s(self) -> float:
        """Seconds."""
        ...


T = TypeVar("T", bound=Timed)


@dataclass(frozen=True)
class Gap:
    """A stretch without words to be heard again, together with `before` and `after`, the words next to it if near."""

    missed: Span
    heard: Span
    before: Word | None
    after: Word | None


def trimmed(word: Word) -> Word:
    """The word, no longer than it can last."""
    longest_s = WORD_S + sum(LETTER_S if sign.isalpha() else SIGN_S for sign in plain(word.text))
    return word.model_copy(update={"end_s": min(word.end_s, word.start_s + longest_s)})


def in_order(spans: Iterable[T]) -> list[T]:
    """By start, then end."""
    return sorted(spans, key=lambda span: (span.start_s, span.end_s))


def gaps(spans: Sequence[Span], words: Sequence[Timed], shortest_s: float = SHORTEST_GAP_S) -> list[Span]:
    """Speech of `shortest_s` seconds or more during which no word was found, in order. `words` are in order."""
    missed: list[Span] = []
    position = 0
    for span in spans:
        heard_until_s = span.start_s
        while position and words[position - 1].end_s > span.start_s:
            position -= 1
        while position < len(words) and words[position].start_s < span.end_s:
            missed.append(Span(heard_until_s, words[position].start_s - GAP_SLACK_S))
            heard_until_s = max(heard_until_s, words[position].end_s + GAP_SLACK_S)
            position += 1
        missed.append(Span(heard_until_s, span.end_s))
    return [gap for gap in missed if gap.end_s - gap.start_s >= shortest_s]


def beside(missed: Span, words: Sequence[Word], duration_s: float) -> Gap:
    """What to hear again for `missed` in sound of `duration_s` seconds with these words, which are in order."""
    before = next((word for word in reversed(words) if word.start_s < missed.start_s), None)
    after = next((word for word in words if word.start_s >= missed.start_s), None)
    if before is not None and missed.start_s - before.start_s > BESIDE_S:
        before = None
    if after is not None and after.end_s - missed.end_s > BESIDE_S:
        after = None
    start_s = before.start_s if before else missed.start_s
    end_s = max(missed.end_s, after.end_s) if after else missed.end_s
    if end_s - start_s > LONGEST_CHUNK_S:
        return Gap(missed, missed, None, None)
    return Gap(missed, with_margin(Span(start_s, end_s), duration_s), before, after)


def filling(gap: Gap, found: Sequence[Word]) -> list[Word]:
    """Those of the words `found` in the second hearing that belong into the gap; none if they are not believed."""
    again = _places(gap.before, found)
    later = found[again[0] + 1 :] if again else [word for word in found if _middle_s(word) >= gap.missed.start_s]
    again = _places(gap.after, later)
    end_s = gap.missed.end_s + GAP_SLACK_S
    inside = later[: again[-1]] if again else [word for word in later if _middle_s(word) <= end_s]
    believed = inside and sum(word.confidence for word in inside) / len(inside) >= LEAST_CONFIDENCE
    return list(inside) if believed else []


def _places(word: Word | None, found: Sequence[Word]) -> list[int]:
    """Where `word` was heard again, as indices of `found`."""
    return [index for index, one in enumerate(found) if word is not None and same_word(word, one)]


def _middle_s(word: Word) -> float:
    return (word.start_s + word.end_s) / 2
