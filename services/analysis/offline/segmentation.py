"""Topic segmentation: cuts where the vocabulary changes, preferably where the speaker says so.

Dynamic programming over the coherence of segments (Utiyama and Isahara, 2001, with TF-IDF instead of
probabilities). A cut at a spoken cue costs less. The penalty of a cut grows until there are few enough.
"""

import re
from collections.abc import Sequence

import numpy as np

from services.analysis.offline.sentences import Sentence
from services.analysis.offline.vectors import Floats, content_words, tfidf

_CUE = re.compile(
    r"^(?:okay|ok|alright|all right|right|so|now|well|and)?[,.]?\s*(?:"
    r"(?:now|okay|ok|alright|all right|right|so far|next|finally|another|the (?:second|third|fourth|next|last|other)"
    r"|let us|let's|turning to|moving on|what (?:about|happens|then)|how (?:do|does|did|can)"
    r"|why (?:do|does|did|is)|having"
    r"|before (?:we|i)|to (?:summarise|summarize|conclude|recap)|in summary|first of all|secondly"
    r"|thirdly|i want to)\b)",
    re.IGNORECASE,
)
_CUE_BONUS = 0.6
_MAX_SENTENCES = 2_000  # handled at once: 2,000 x 120 coherences and 2,000 x 500 floats are 10 MB
_MAX_SEGMENT = 60
_LONGEST_SEGMENT = 120
_FEATURES = 500
_PENALTIES = np.geomspace(0.05, 8, 24)


def is_cue(text: str) -> bool:
    """True when a sentence announces something new."""
    return _CUE.match(text) is not None


def cuts(sentences: Sequence[Sentence], target: int, *, english: bool, shortest: int = 5) -> list[int]:
    """Indices at which segments begin, 0 first: at most about `target` of them, each of `shortest` sentences."""
    found: list[int] = []
    for start in range(0, len(sentences), _MAX_SENTENCES):
        chunk = sentences[start : start + _MAX_SENTENCES]
        share = max(1, round(target * len(chunk) / len(sentences)))
        found += [start + cut for cut in _cuts(chunk, share, shortest, english=english)]
    return found


def _cuts(sentences: Sequence[Sentence], target: int, shortest: int, *, english: bool) -> list[int]:
    if target <= 1 or len(sentences) < 2 * shortest:
        return [0]
    costs = _costs(
        [content_words(s.normals, english=english) for s in sentences],
        min(_LONGEST_SEGMENT, max(_MAX_SEGMENT, 2 * len(sentences) // target)),
    )
    bonus = np.array([_CUE_BONUS if english and is_cue(s.raw) else 0.0 for s in sentences])
    result = [0]
    for penalty in _PENALTIES:
        result = _best(costs, float(penalty) - bonus, shortest)
        if len(result) <= target:
            break
    return result


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
