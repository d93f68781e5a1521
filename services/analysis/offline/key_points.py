"""Key points: the sentences of a section that say most of it, read well alone and do not repeat each other."""

import re
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from services.analysis.offline.material import Material
from services.analysis.offline.sentences import Sentence
from services.analysis.offline.standalone import NOT_QUOTABLE, is_attribution, line_fault
from services.analysis.offline.vectors import Floats, centrality, likeness
from shared.documents import Block, Claim, FigureBlock, Section

_WORDS_PER_POINT = 50
_MAX_POINTS = 5
_MAX_LINES = 6
_MAX_CANDIDATES = 200
_DIVERSITY = 0.45
_TOO_ALIKE = 0.55
_WITHOUT_POINTS = re.compile(r"^(?:table of )?(?:contents|references|bibliography|works cited|index)$", re.IGNORECASE)
_WEIGHTY = re.compile(
    r"\b(?:important|key|essential|crucial|fundamental|main|central|always|never|because|therefore"
    r"|means|depends|causes?|caused"
    r"|leads? to|led to|results? in|consists? of|called|known as|defined|requires?|must|only"
    r"|increases?|decreases?|more than|less than)\b",
    re.IGNORECASE,
)


def with_key_points(material: Material, sections: Sequence[Section], definitions: frozenset[int]) -> list[Section]:
    """`sections` with key points; `definitions` are positions of sentences that define a glossary term."""
    return [section.model_copy(update={"key_points": _points(material, section, definitions)}) for section in sections]


def blocks_of(material: Material, section: Section) -> Sequence[Block]:
    """The blocks that a section covers."""
    start = material.index[section.blocks[0]]
    return material.blocks[start : start + len(section.blocks)]


def sentences_in(material: Material, section: Section) -> Sequence[Sentence]:
    """The sentences that begin in a section."""
    start = material.index[section.blocks[0]]
    return material.between(start, start + len(section.blocks))


def scored(material: Material, sentences: Sequence[Sentence], definitions: frozenset[int]) -> dict[int, float]:
    """How much each quotable sentence deserves quoting, by position. Unquotable ones are left out."""
    if not sentences:
        return {}
    central = centrality(material.vectors[[s.position for s in sentences]])
    return {
        s.position: round(_score(material, s, float(c), defines=s.position in definitions), 6)
        for s, c in zip(sentences, central, strict=True)
        if s.fault < NOT_QUOTABLE
    }


def _score(material: Material, sentence: Sentence, central: float, *, defines: bool) -> float:
    score = 0.4 * central + 0.4 * material.phrases.coverage(sentence.key.strip())
    score += 0.25 if defines else 0.0
    score += 0.12 if material.english and _WEIGHTY.search(sentence.text) else 0.0
    return score - 0.6 * sentence.fault


def best_of(
    material: Material, scores: Mapping[int, float], count: int, taken: Collection[int] = frozenset()
) -> list[int]:
    """Positions of up to `count` sentences: high score, low likeness to each other; in source order.

    Those `taken` are among them and count.
    """
    order = [*sorted(taken), *sorted(set(scores) - set(taken), key=lambda p: (-scores[p], p))[:_MAX_CANDIDATES]]
    if not order:
        return []
    alike: Floats = np.round(likeness(material.vectors[order]), 6)
    chosen = list(range(len(taken)))
    left = list(range(len(taken), len(order)))
    while left and len(chosen) < count:
        worst = {i: max((float(alike[i, j]) for j in chosen), default=0.0) for i in left}
        left = [i for i in left if worst[i] < _TOO_ALIKE]
        if not left:
            break
        best = max(left, key=lambda i: (scores[order[i]] - _DIVERSITY * worst[i], -i))
        chosen.append(best)
        left.remove(best)
    return sorted(order[i] for i in chosen)


def _points(material: Material, section: Section, definitions: frozenset[int]) -> tuple[Claim, ...]:
    if _WITHOUT_POINTS.match(section.title.text):
        return ()
    sentences = sentences_in(material, section)
    blocks = blocks_of(material, section)
    slides = sum(isinstance(block, FigureBlock) and block.whole_page for block in blocks)
    if slides:
        credited = frozenset(block.id for block in blocks if is_attribution(block.text))
        return _of_slides([s for s in sentences if s.blocks[0] not in credited], _MAX_LINES * slides)
    spoken = [s for s in sentences if not s.is_line]
    count = max(2, min(_MAX_POINTS, round(sum(s.words for s in spoken) / _WORDS_PER_POINT)))
    positions = set(best_of(material, scored(material, spoken, definitions), count))
    if len(positions) < 2:
        lines = [s.position for s in sentences if s.is_line and s.fault < NOT_QUOTABLE]
        positions |= set(lines[: _MAX_LINES - len(positions)])
    return tuple(_unrepeated([_claim(s) for s in sentences if s.position in positions]))


def _of_slides(sentences: Sequence[Sentence], most: int) -> tuple[Claim, ...]:
    """What slides of a deck say, line by line: the slide beside it shows what each of them points at."""
    lines = [s for s in sentences if line_fault(s.raw) < NOT_QUOTABLE]
    points = [Claim(text=s.text if s.is_line else s.raw, blocks=s.blocks) for s in lines]
    return tuple(_unrepeated(points)[:most])


def _claim(sentence: Sentence) -> Claim:
    return Claim(text=sentence.text, blocks=sentence.blocks)


def _unrepeated(points: Sequence[Claim]) -> list[Claim]:
    return list({point.text.casefold(): point for point in reversed(points)}.values())[::-1]
