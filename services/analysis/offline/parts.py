"""Parts: contiguous ranges of blocks, and how short ones are merged into their neighbours."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from services.analysis.offline.material import Material
from services.analysis.offline.vectors import content_words


@dataclass(frozen=True)
class Part:
    """Blocks `start` to `end` (exclusive). `head` is the index of the slide or heading that names it, if any."""

    start: int
    end: int
    head: int | None = None


@dataclass
class _Measured:
    part: Part
    words: int
    bag: Counter[str]


def merged(material: Material, parts: Sequence[Part], *, shortest: int, most: int) -> list[Part]:
    """`parts` with those under `shortest` words joined to the more alike neighbour, and `most` of them at the end.

    Quadratic in the number of parts at worst; a few thousand parts are a few million comparisons.
    """
    measured = [_measure(material, part) for part in parts]
    while len(measured) > 1:
        least = min(range(len(measured)), key=lambda i: (measured[i].words, i))
        if measured[least].words >= shortest and len(measured) <= most:
            break
        left = _neighbour(measured, least)
        measured[left : left + 2] = [_joined(measured[left], measured[left + 1])]
    return [one.part for one in measured]


def _measure(material: Material, part: Part) -> _Measured:
    bag: Counter[str] = Counter()
    count = 0
    for sentence in material.between(part.start, part.end):
        bag.update(set(content_words(sentence.normals, english=material.english)))
        count += sentence.words // 2 if sentence.is_line else sentence.words
    return _Measured(part, count, bag)


def _neighbour(measured: Sequence[_Measured], i: int) -> int:
    """Index of the left one of the pair to join: part `i` with whichever neighbour it shares more words with."""
    if i == 0:
        return 0
    if i == len(measured) - 1:
        return i - 1
    before, after = _overlap(measured[i - 1], measured[i]), _overlap(measured[i], measured[i + 1])
    if before == after:
        return i if measured[i + 1].words < measured[i - 1].words else i - 1
    return i - 1 if before > after else i


def _overlap(a: _Measured, b: _Measured) -> float:
    shared = (a.bag & b.bag).total()
    return round(shared / (1 + math.sqrt(a.bag.total() * b.bag.total())), 6)


def _joined(a: _Measured, b: _Measured) -> _Measured:
    longer, other = (a, b) if a.words >= b.words else (b, a)
    head = longer.part.head if longer.part.head is not None else other.part.head
    return _Measured(Part(a.part.start, b.part.end, head), a.words + b.words, a.bag + b.bag)
