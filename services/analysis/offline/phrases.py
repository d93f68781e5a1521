"""Key phrases: C-value (frequency less the frequency inside longer phrases) times length and speciality.

Frantzi, Ananiadou and Mima, "Automatic recognition of multi-word terms: the C-value/NC-value method" (2000), with
the part-of-speech filter replaced by word lists and the rarity of a word in general by `words.speciality`.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from services.analysis.offline.sentences import Sentence
from services.analysis.offline.words import (
    adjectives,
    function_words,
    general_nouns,
    is_adverb,
    normal,
    speciality,
    verb_forms,
    words,
)

MAX_WORDS = 4
_MAX_COUNTED = 200_000  # candidates kept at once: about 40 MB
_LETTERS = frozenset("BCDEFGHJKLMNOPQRSTUVWXYZ")  # a letter can be part of a term ("T cell"), never one by itself
_BREAK = ""
_MODIFIES = 0.8
_BEFORE_VERB = frozenset(
    {
        "to",
        "can",
        "could",
        "will",
        "would",
        "must",
        "may",
        "might",
        "should",
        "not",
        "n't",
        "they",
        "we",
        "you",
        "i",
        "who",
        "cannot",
        "don't",
    }
)


@dataclass(frozen=True)
class Phrase:
    """A key phrase: `key` in normal lower-case words, `text` as the source mostly writes it."""

    key: str
    text: str
    count: int
    score: float
    position: int
    is_noun: bool = True


class Phrases:
    """The key phrases of a source, best first."""

    def __init__(self, ranked: Sequence[Phrase]) -> None:
        self.ranked = tuple(ranked)
        top = self.ranked[0].score if self.ranked else 1.0
        self._weight = {phrase.key: phrase.score / top for phrase in self.ranked}

    def weight(self, key: str) -> float:
        """0 to 1: the phrase's score against the best one's; 0 for what is no key phrase."""
        return self._weight.get(key, 0.0)

    def inside(self, key: str) -> list[Phrase]:
        """The key phrases in a sentence's `key`, best first."""
        tokens = key.split()
        grams = {" ".join(tokens[i : i + n]) for n in range(1, MAX_WORDS + 1) for i in range(len(tokens) - n + 1)}
        return [phrase for phrase in self.ranked if phrase.key in grams]

    def coverage(self, key: str) -> float:
        """0 to 1: how much of what the source is about a sentence names."""
        tokens = key.split()
        grams = {" ".join(tokens[i : i + n]) for n in range(1, MAX_WORDS + 1) for i in range(len(tokens) - n + 1)}
        return min(1.0, sum(self._weight.get(gram, 0.0) for gram in grams) / 1.5)


def key_phrases(
    sentences: Sequence[Sentence], *, english: bool, favoured: Iterable[str] = (), limit: int = 120
) -> Phrases:
    """The phrases a source is about. `favoured` texts (titles, headings) count their phrases half as much again."""
    counts: Counter[str] = Counter()
    first: dict[str, int] = {}
    verbs, nouns = _local_classes(sentences) if english else (frozenset(), frozenset())
    for sentence in sentences:
        for gram in _candidates(sentence.raw, english=english, verbs=verbs):
            counts[gram] += 1
            first.setdefault(gram, sentence.position)
        if len(counts) > _MAX_COUNTED:
            counts = Counter({gram: count for gram, count in counts.items() if count > 1})
            first = {gram: first[gram] for gram in counts}
    if not english:
        _drop_common(counts, len(sentences))
    titles = {gram for text in favoured for gram in _candidates(text, english=english, verbs=verbs)}
    scores = _scores(counts, first, titles, last=max(1, len(sentences)), english=english)
    best = sorted(scores, key=lambda gram: (-scores[gram], gram))[: limit * 2]
    best = _distinct(best)[:limit]
    surfaces = _surfaces(sentences, set(best))
    modifiers = _modifiers(sentences) if english else frozenset()
    return Phrases(
        [
            Phrase(
                key=gram.lower(),
                text=surfaces.get(gram, gram),
                count=counts[gram],
                score=round(scores[gram], 6),
                position=first[gram],
                is_noun=" " in gram or (gram.lower() in nouns and gram.lower() not in modifiers),
            )
            for gram in best
        ]
    )


def _local_classes(sentences: Sequence[Sentence]) -> tuple[frozenset[str], frozenset[str]]:
    """Words that stand only where verbs stand ("to catalyse"), and normals of those that follow an article."""
    after: Counter[str] = Counter()
    noun: Counter[str] = Counter()
    for sentence in sentences:
        previous = ""
        for word in words(sentence.raw):
            lower = word.lower()
            if previous in _BEFORE_VERB:
                after[lower] += 1
            elif previous in {"the", "a", "an", "of", "this", "these"}:
                noun[lower] += 1
            previous = lower
    bases = {word for word, count in after.items() if count > noun[word] and not noun[word] and speciality(word) >= 1}
    forms = {word + ending for word in bases for ending in ("", "s", "es", "ed", "d")}
    verbs = frozenset(forms | {word[:-1] + "ing" for word in bases if word.endswith("e")})
    return verbs, frozenset(normal(word) for word in noun)


def _modifiers(sentences: Sequence[Sentence]) -> frozenset[str]:
    """Normals of words that nearly always stand before a noun ("Hamming code"): the half of a term, and no term."""
    alone: Counter[str] = Counter()
    before: Counter[str] = Counter()
    for sentence in sentences:
        found = [word.lower() for word in words(sentence.raw)]
        for word, after in zip_longest(found, found[1:], fillvalue=""):
            is_before = speciality(after) > 0 and (after not in verb_forms() or after in general_nouns())
            (before if is_before else alone)[normal(word)] += 1
    return frozenset(word for word, count in before.items() if count >= _MODIFIES * (count + alone[word]))


def _candidates(text: str, *, english: bool, verbs: frozenset[str]) -> Iterator[str]:
    for part in _parts(text):
        run: list[str] = []
        for word in [*words(part), _BREAK]:
            if word != _BREAK and not _breaks(word, english=english, verbs=verbs):
                run.append(normal(word))
                continue
            yield from _grams(run, english=english)
            run = []


def _parts(text: str) -> Iterator[str]:
    start = 0
    for i, character in enumerate(text):
        if character in ',;:()[]{}"“”?!|/=<>•–—、。「」（）' or (character == "." and text[i + 1 : i + 2] in ("", " ")):
            yield text[start:i]
            start = i + 1
    yield text[start:]


def _breaks(word: str, *, english: bool, verbs: frozenset[str]) -> bool:
    lower = word.lower().replace("’", "'")
    if lower.isdigit() or (len(lower) < 2 and lower.isascii() and word not in _LETTERS):
        return True
    if not english:
        return False
    if word.isupper() and word not in {"A", "I"}:
        return False
    if lower in function_words() or is_adverb(lower) or lower in verbs or ("'" in lower and not lower.endswith("'s")):
        return True
    return lower in verb_forms() and lower not in general_nouns() and not lower.endswith("ing")


def _grams(run: list[str], *, english: bool) -> Iterator[str]:
    for n in range(1, min(MAX_WORDS, len(run)) + 1):
        for i in range(len(run) - n + 1):
            gram = run[i : i + n]
            if not english or _well_formed(gram):
                yield " ".join(gram)


def _well_formed(gram: list[str]) -> bool:
    last, first = gram[-1].lower(), gram[0].lower()
    if len(last) < 2:
        return False
    if last in adjectives() or (last.endswith(("ed", "'s")) and last in verb_forms()) or last.endswith("'s"):
        return False
    if len(gram) == 1:
        return speciality(last) >= 1 and not last.endswith("ed")
    if (first in adjectives() and speciality(last) < 1) or (first in verb_forms() and first not in general_nouns()):
        return False
    return any(speciality(word.lower()) >= 1 for word in gram)


def _drop_common(counts: Counter[str], sentences: int) -> None:
    """Take out what no list is at hand for: short words and words of many sentences (articles, auxiliaries)."""
    common = {
        gram
        for gram, count in counts.items()
        if " " not in gram
        and gram.isalpha()
        and ord(gram[0]) < 0x2E80
        and (len(gram) < 5 or count > 0.12 * sentences + 4)
    }
    for gram in [gram for gram in counts if common & set(gram.split())]:
        del counts[gram]


def _scores(
    counts: Counter[str], first: dict[str, int], titles: set[str], *, last: int, english: bool
) -> dict[str, float]:
    kept = {gram: count for gram, count in counts.items() if count >= 2 or gram in titles}
    inside: dict[str, int] = {}
    for gram, count in kept.items():
        parts = gram.split()
        for n in range(1, len(parts)):
            for i in range(len(parts) - n + 1):
                part = " ".join(parts[i : i + n])
                inside[part] = max(inside.get(part, 0), count)
    scores = {}
    for gram, count in kept.items():
        nested = inside.get(gram, 0)
        if count > 1 and nested >= 0.75 * count:
            continue
        length = len(gram.split())
        special = sum(speciality(word.lower()) for word in gram.split()) / length if english else 1.0
        early = 1 + 0.35 * (1 - first[gram] / last)
        title = 1.5 if gram in titles else 1.0
        scores[gram] = (count - 0.5 * nested) ** 0.75 * math.log2(length + 1) ** 1.3 * special * early * title
    return scores


def _distinct(grams: list[str]) -> list[str]:
    seen: set[frozenset[str]] = set()
    kept = []
    for gram in grams:
        bag = frozenset(gram.lower().split())
        if bag not in seen:
            seen.add(bag)
            kept.append(gram)
    return kept


def _surfaces(sentences: Sequence[Sentence], wanted: set[str]) -> dict[str, str]:
    """How the source mostly writes each wanted phrase: lower case unless it is mostly capitalised inside sentences."""
    seen: dict[str, Counter[str]] = {gram: Counter() for gram in wanted}
    for sentence in sentences:
        tokens = words(sentence.raw)
        keys = [normal(token) for token in tokens]
        for n in range(1, MAX_WORDS + 1):
            for i in range(len(tokens) - n + 1):
                gram = " ".join(keys[i : i + n])
                if gram in seen:
                    weight = 1 if i == 0 or sentence.is_line else 3
                    surface = " ".join(tokens[i : i + n])
                    seen[gram][_uncapitalised(surface) if weight == 1 else surface] += weight
    return {gram: max(sorted(found), key=found.__getitem__) for gram, found in seen.items() if found}


def _uncapitalised(surface: str) -> str:
    first, _, rest = surface.partition(" ")
    return surface if any(c.isupper() for c in first[1:]) else f"{first.lower()} {rest}".strip()
