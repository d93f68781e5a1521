"""Topic segmentation: cuts where the vocabulary changes, preferably where the speaker says so.

Dynamic programming over the coherence of segments (Utiyama and Isahara, 2001, with TF-IDF instead of
probabilities). A cut at a spoken cue costs less. The penalty of a cut grows until there are few enough.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from services.analysis.offline.cues import Cue, cue_of, is_only_opener
from services.analysis.offline.sentences import Sentence
from services.analysis.offline.vectors import Floats, content_words, tfidf

_CUE_BONUS = {Cue.NONE: 0.0, Cue.WEAK: 0.4, Cue.LIKELY: 0.8, Cue.STRONG: 2.5}
_TOO_SHORT = 3.0  # what a segment under the least number of words costs
SHORTEST = 5  # sentences; fewer are an aside, not a part
_MAX_SENTENCES = 2_000  # handled at once: 2,000 x 120 coherences and 2,000 x 500 floats are 10 MB
_MAX_SEGMENT = 60
_LONGEST_SEGMENT = 120
_FEATURES = 500
_PENALTIES = np.geomspace(0.05, 8, 40)


def cues_in(sentences: Sequence[Sentence]) -> list[Cue]:
    """How clearly each sentence opens a new part; "Okay." opens what the sentence after it opens."""
    found = [cue_of(sentence.raw) for sentence in sentences]
    for i in range(len(found) - 1, 0, -1):
        if is_only_opener(sentences[i - 1].raw):
            found[i - 1], found[i] = max(found[i], Cue.WEAK), Cue.NONE
    return found


def announced_parts(sentences: Sequence[Sentence], *, shortest: int = SHORTEST) -> int:
    """How many parts the speaker opens, counting none that would leave one of under `shortest` sentences.

    Every second bare question counts: about as many open a part as are asked inside one.
    """
    last, count = 0, 0.0
    for i, cue in enumerate(cues_in(sentences)):
        if cue >= Cue.LIKELY and i - last >= shortest and len(sentences) - i >= shortest:
            last, count = i, count + (1.0 if cue is Cue.STRONG else 0.5)
    return round(count)


def cuts(
    sentences: Sequence[Sentence], target: int, *, english: bool, shortest: int = SHORTEST, least_words: int = 0
) -> list[int]:
    """Indices at which segments begin, 0 first: at most about `target` of them, each of `shortest` sentences.

    Segments of under `least_words` words are avoided.
    """
    found: list[int] = []
    for start in range(0, len(sentences), _MAX_SENTENCES):
        chunk = sentences[start : start + _MAX_SENTENCES]
        share = max(1, round(target * len(chunk) / len(sentences)))
        found += [start + cut for cut in _cuts(chunk, share, shortest, least_words, english=english)]
    return found


def _cuts(sentences: Sequence[Sentence], target: int, shortest: int, least_words: int, *, english: bool) -> list[int]:
    if target <= 1 or len(sentences) < 2 * shortest:
        return [0]
    costs = _costs(
        [content_words(s.normals, english=english) for s in sentences],
        min(_LONGEST_SEGMENT, max(_MAX_SEGMENT, 2 * len(sentences) // target)),
    )
    costs += _TOO_SHORT * _under(sentences, least_words, costs.shape[1] - 1)
    cues = cues_in(sentences) if english else [Cue.NONE] * len(sentences)
    bonus = np.array([_CUE_BONUS[cue] for cue in cues])
    return _few_enough(lambda penalty: _best(costs, penalty - bonus, shortest), target)


def _few_enough(segmented: Callable[[float], list[int]], target: int) -> list[int]:
    """The segmentation at the least penalty with `target` segments or fewer, or the one before it if that is nearer.

    The more a cut costs the fewer there are, so that penalty is found by halving.
    """

    @cache
    def found(level: int) -> list[int]:
        return segmented(float(_PENALTIES[level]))

    last = len(_PENALTIES) - 1
    level = min(last, bisect_left(range(last + 1), -target, key=lambda level: -len(found(level))))
    few = found(level)
    more = found(level - 1) if level > 0 else few
    return more if 0 <= len(more) - target < target - len(few) else few


def _under(sentences: Sequence[Sentence], least_words: int, longest: int) -> Floats:
    """1 at `[j, k]` where the `k` sentences before sentence `j` have fewer than `least_words` words, else 0."""
    sums = np.concatenate([[0], np.cumsum([sentence.words for sentence in sentences])])
    ends = np.arange(len(sums))[:, None]
    begins = np.maximum(ends - np.arange(longest + 1)[None, :], 0)
    return np.where(sums[ends] - sums[begins] < least_words, 1.0, 0.0)


def _costs(texts: Sequence[list[str]], longest: int) -> Floats:
    """`costs[j, k]`: incoherence of the `k` sentences that end before sentence `j`."""
    rows = tfidf(texts, max_features=_FEATURES)
    dense = rows.toarray().astype(np.float64)
    dense -= dense.mean(axis=0)
    lengths = np.linalg.norm(dense, axis=1, keepdims=True)
    dense = np.divide(dense, lengths, out=np.zeros_like(dense), where=lengths > 1e-9)
    sums = np.vstack([np.zeros((1, dense.shape[1])), np.cumsum(dense, axis=0)])
    count = len(texts)
    costs = np.full((count + 1, longest + 1), np.inf)
    for end in range(1, count + 1):
        sizes = np.arange(1, min(longest, end) + 1)
        spread = np.linalg.norm(sums[end] - sums[end - sizes], axis=1)
        costs[end, sizes] = sizes - spread
    return np.round(costs, 6)


def _best(costs: Floats, penalties: Floats, shortest: int) -> list[int]:
    """The cheapest segmentation: indices at which segments begin."""
    count, longest = costs.shape[0] - 1, costs.shape[1] - 1
    total = np.full(count + 1, np.inf)
    total[0] = 0.0
    back = np.zeros(count + 1, dtype=np.int64)
    entry = np.concatenate([[0.0], penalties[1:]])
    for end in range(1, count + 1):
        sizes = np.arange(shortest, min(longest, end) + 1)
        if sizes.size == 0:
            continue
        begins = end - sizes
        options = total[begins] + entry[begins] + costs[end, sizes]
        best = int(np.argmin(options))
        total[end], back[end] = options[best], begins[best]
    found = []
    end = count
    while end > 0:
        end = int(back[end])
        found.append(end)
    return sorted(found)
