"""Sentences as TF-IDF vectors: likeness and centrality. Sparse but for the few sentences compared at once."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from services.analysis.offline.words import speciality

Floats = NDArray[np.float64]
Matrix: TypeAlias = csr_matrix
_MAX_FEATURES = 20_000
_MAX_COMPARED = 400  # sentences of one section that are compared with each other: 400 x 400 floats are 1.3 MB
_DIGITS = 6  # scores are rounded so that the last bits of a sum never decide


def content_words(normals: Sequence[str], *, english: bool) -> list[str]:
    """The words that carry content."""
    if not english:
        return [word.lower() for word in normals]
    return [word.lower() for word in normals if speciality(word.lower()) > 0]


def _grams(tokens: list[str]) -> list[str]:
    return tokens + [f"{a} {b}" for a, b in pairwise(tokens)]


def tfidf(texts: Sequence[list[str]], *, max_features: int = _MAX_FEATURES) -> Matrix:
    """One row of unit length (or zero) per list of content words, over words and pairs of words."""
    if not any(texts):
        return csr_matrix((len(texts), 1), dtype=np.float64)
    vectorizer = TfidfVectorizer(analyzer=_grams, sublinear_tf=True, max_features=max_features)
    return csr_matrix(vectorizer.fit_transform(texts))


def likeness(rows: Matrix) -> Floats:
    """Cosine of each pair of (at most a few hundred) rows."""
    return np.asarray((rows @ rows.T).toarray(), dtype=np.float64)


def centrality(rows: Matrix) -> Floats:
    """How central each row is among the rows, 0 to 1, by LexRank (Erkan and Radev, 2004); 0 beyond the first 400."""
    count = rows.shape[0]
    if count == 0:
        return np.zeros(0)
    compared = min(count, _MAX_COMPARED)
    weights = likeness(rows[:compared])
    np.fill_diagonal(weights, 0.0)
    sums = weights.sum(axis=1, keepdims=True)
    transition = np.divide(weights, sums, out=np.zeros_like(weights), where=sums > 0)
    rank = np.full(compared, 1.0 / compared)
    for _ in range(50):
        rank = 0.15 / compared + 0.85 * (transition.T @ rank)
    result = np.zeros(count)
    result[:compared] = rank / rank.max()
    return np.asarray(np.round(result, _DIGITS), dtype=np.float64)
