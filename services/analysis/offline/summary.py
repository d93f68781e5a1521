"""The summary: the best sentences of the weightiest sections that need nothing around them."""

import re
from collections.abc import Sequence

from services.analysis.offline.definitions import normal_text
from services.analysis.offline.key_points import best_of, scored, sentences_in
from services.analysis.offline.material import Material
from services.analysis.offline.words import words
from shared.documents import Claim, Section

_MAX_FAULT = 0.35
_MANY = 6  # sections; of more than that each gives one sentence at most
_LONG_TALK_WORDS = 300  # two minutes of speech
_SUMMING_UP = re.compile(
    r"^(?:so|okay|right|well|and|now|alright)?[, ]*(?:to (?:sum up|summari[sz]e|conclude|recap)"
    r"|in (?:summary|conclusion|short)|overall|all in all)\b",
    re.IGNORECASE,
)
_SELF_DESCRIPTION = re.compile(
    r"^(?:this|the) (?:document|manual|paper|article|report|guide|specification|page|book|library"
    r"|package|program|standard|study)"
    r" (?:describes|presents|introduces|explains|defines|provides|covers|shows|gives|is an?|is the"
    r"|specifies|contains)\b",
    re.IGNORECASE,
)
_OPENERS = re.compile(r"^(?:abstract|summary|overview|introduction|conclusions?|description|about)\b", re.IGNORECASE)
_ASIDE = re.compile(
    r"\b(?:licen[cs]e|copyright|acknowledge?ments?|references|bibliography|authors?|see also"
    r"|changelog|index|contents|warranty)\b",
    re.IGNORECASE,
)


def is_aside(section: Section) -> bool:
    """True for sections that are not about the subject: licences, references, authors."""
    return _ASIDE.search(section.title.text) is not None


def _closing(material: Material) -> frozenset[int]:
    """Positions of the sentences with which the speaker sums up."""
    marked = [s.position for s in material.sentences if not s.is_line and _SUMMING_UP.match(s.raw)]
    return frozenset(p + step for p in marked for step in (0, 1))


def _wanted(material: Material) -> int:
    long_talk = material.document.kind == "recording" and material.word_count >= _LONG_TALK_WORDS
    return max(4 if long_talk else 3, min(8, material.word_count // 200))


def summary_of(
    material: Material, sections: Sequence[Section], definitions: frozenset[int], title: str
) -> tuple[Claim, ...]:
    """Three to eight sentences by the source's length, fewer where fewer stand alone."""
    title_key = f" {normal_text(title)} " if words(title) else ""
    total = max(1, material.word_count)
    scores: dict[int, float] = {}
    first: list[int] = []  # the best sentence of each section: a talk's summary goes round its sections
    closing = _closing(material)
    on_title = {s.position for s in material.sentences if title_key and title_key in s.key}
    says_what_it_is = {s.position for s in material.sentences if _SELF_DESCRIPTION.match(s.text)}
    for section in sections:
        if is_aside(section) and len(sections) > 1:
            continue
        sentences = [s for s in sentences_in(material, section) if not s.is_line]
        share = sum(s.words for s in sentences) / total
        bonus = 0.3 * min(1.0, share * 4) + (0.25 if _OPENERS.match(section.title.text) else 0.0)
        quotable = {s.position for s in sentences if s.fault <= _MAX_FAULT}
        own = {
            p: score + bonus + (0.3 if p in closing or p in says_what_it_is else 0.0) + (0.15 if p in on_title else 0.0)
            for p, score in scored(material, sentences, definitions).items()
            if p in quotable
        }
        candidates = best_of(material, own, 1 if len(sections) > _MANY else 3)
        scores |= {position: own[position] for position in candidates}
        if candidates:
            first.append(max(candidates, key=lambda p: (own[p], -p)))
    wanted = _wanted(material)
    talk = material.document.kind == "recording"
    taken = best_of(material, {p: scores[p] for p in first}, wanted) if talk else []
    sentences_by_position = {s.position: s for s in material.sentences}
    chosen = [sentences_by_position[p] for p in best_of(material, scores, wanted, taken)]
    return tuple(Claim(text=s.text, blocks=s.blocks) for s in chosen)
