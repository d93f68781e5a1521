"""Multiple-choice questions from glossary and key points, with wrong options of the same kind as the right one."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from services.analysis.offline.definitions import normal_text
from services.analysis.offline.glossary import Defined
from services.analysis.offline.material import Material
from services.analysis.offline.phrases import Phrase
from services.analysis.offline.summary import is_aside
from services.analysis.offline.words import general_nouns, normals, singular, speciality, verb_forms, words
from shared.documents import Claim, Question, Section

_OPTIONS = 4
_FEWEST, _MOST = 3, 12
_REUSES = 2  # wrong options that come up again and again tell that they are wrong
_WORDS_PER_QUESTION = 110
_BLANK = "_____"
_MARKUP = re.compile(r"[`_*{}<>|\\=/#@\[\]]|\(\)")  # a gap in code is a riddle
_NO_NOUNS = frozenset({"far", "near", "late", "early", "same", "everywhere", "nearby", "apart"})
_INFLECTED = ("s", "ed", "ing")  # a verb in its bare form may as well be a noun


@dataclass(frozen=True)
class _Draft:
    """A question with more `wrong` options than it needs, best first."""

    stem: str
    answer: str
    wrong: tuple[str, ...]
    source: str
    blocks: tuple[str, ...]


def questions_of(material: Material, sections: Sequence[Section], terms: Sequence[Defined]) -> tuple[Question, ...]:
    """Up to twelve questions by the source's length; fewer or none where good ones cannot be made."""
    if not material.english:
        return ()
    wanted = max(_FEWEST, min(_MOST, material.word_count // _WORDS_PER_QUESTION))
    drafts: list[_Draft] = []
    asked: set[str] = set()
    quoted: set[str] = set()
    used: Counter[str] = Counter()
    for draft in chain(_from_glossary(material, terms), _from_key_points(material, sections, terms)):
        if len(drafts) == wanted:
            break
        key = normal_text(draft.answer)
        wrong = [option for option in draft.wrong if used[normal_text(option)] < _REUSES][: _OPTIONS - 1]
        if len(wrong) < _OPTIONS - 1 or draft.source in quoted or any(_overlap(key, other) for other in asked):
            continue
        drafts.append(replace(draft, wrong=tuple(wrong)))
        asked.add(key)
        quoted.add(draft.source)
        used.update(map(normal_text, wrong))
    order = material.index
    drafts.sort(key=lambda d: (order[d.blocks[0]], d.stem))
    return tuple(_question(draft, i) for i, draft in enumerate(drafts))


def _question(draft: _Draft, number: int) -> Question:
    """The draft with its options in an order drawn from its own words; the answer's place goes round."""
    others = sorted(draft.wrong, key=lambda option: _digest(draft.stem + option))
    place = (int(_digest(draft.stem)[:8], 16) + number) % (len(others) + 1)
    options = (*others[:place], draft.answer, *others[place:])
    return Question(
        stem=draft.stem,
        options=options,
        answer=place,
        explanation=f"The source says: “{draft.source}”",
        blocks=draft.blocks,
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _from_glossary(material: Material, terms: Sequence[Defined]) -> Iterator[_Draft]:
    by_position = {s.position: s.text for s in material.sentences}
    for term in sorted(terms, key=lambda t: (-t.rank, t.key)):
        definition = term.entry.definition
        if not 6 <= len(words(definition)) <= 40:
            continue
        wrong = _other_terms(term, terms)
        wrong += _phrases_like(material, _inside(material, term.entry.term), definition, taken=wrong)
        if len(wrong) >= _OPTIONS - 1:
            source = by_position.get(term.position, definition) if term.position is not None else definition
            yield _Draft(
                stem=f"Which term fits this description? “{definition}”",
                answer=term.entry.term,
                wrong=tuple(map(_capital, wrong)),
                source=source,
                blocks=term.entry.blocks,
            )


def _other_terms(term: Defined, terms: Sequence[Defined]) -> list[str]:
    """Terms of the glossary that look like `term`, are not in its definition and share no word with it."""
    inside = normal_text(term.entry.definition)
    rivals = [
        other
        for other in terms
        if other.key != term.key
        and not _overlap(other.key, term.key)
        and f" {other.key} " not in f" {inside} "
        and not (set(other.entry.blocks) & set(term.entry.blocks))
        and _same_kind(other.entry.term, term.entry.term)
    ]
    rivals.sort(key=lambda other: (-_affinity(other, term), other.key))
    return _apart([other.entry.term for other in rivals])


def _affinity(other: Defined, term: Defined) -> float:
    a, b = set(normal_text(other.entry.definition).split()), set(normal_text(term.entry.definition).split())
    return round(len(a & b) / max(1, len(a | b)) - 0.1 * abs(len(other.key.split()) - len(term.key.split())), 6)


def _overlap(a: str, b: str) -> bool:
    return bool(set(a.split()) & set(b.split()) - {"of", "the"})


def _same_kind(a: str, b: str) -> bool:
    return _is_plural(a) == _is_plural(b) and _is_acronym(a) == _is_acronym(b)


def _is_plural(text: str) -> bool:
    last = text.rsplit(maxsplit=1)[-1].lower()
    return singular(last) != last


def _is_acronym(text: str) -> bool:
    return text.isupper() and len(text) > 1


def _apart(options: Sequence[str]) -> list[str]:
    """Options of which none is part of another."""
    kept: list[str] = []
    for option in options:
        if not any(_overlap(normal_text(option), normal_text(other)) for other in kept):
            kept.append(option)
    return kept


def _phrases_like(material: Material, answer: str, context: str, *, taken: Sequence[str]) -> list[str]:
    """Key phrases of the same form as `answer` that the context does not name."""
    inside = f" {normal_text(context)} "
    key = normal_text(answer)
    fitting = [phrase for phrase in material.phrases.ranked[:60] if _fits(phrase, answer, key, inside)]
    fitting.sort(key=lambda p: (abs(len(p.key.split()) - len(key.split())), -p.score, p.key))
    return [text for text in _apart([*taken, *(phrase.text for phrase in fitting)]) if text not in taken]


def _terms_like(material: Material, terms: Sequence[Defined], answer: str, context: str) -> list[str]:
    """Glossary terms of the same form as `answer` of which the context names no word."""
    inside = set(normal_text(context).split())
    fitting = [t for t in terms if not inside & set(t.key.split()) and _same_kind(t.entry.term, answer)]
    fitting.sort(key=lambda t: (abs(len(t.key.split()) - len(answer.split())), -t.rank, t.key))
    return _apart([_inside(material, t.entry.term) for t in fitting])


def _fits(phrase: Phrase, answer: str, key: str, inside: str) -> bool:
    return (
        phrase.count >= (3 if phrase.text[0].isupper() else 2)  # a name said twice is seldom of the same kind
        and phrase.is_noun
        and not _NO_NOUNS & set(phrase.key.split())
        and _is_special(phrase.key)
        and not _overlap(phrase.key, key)
        and not any(f" {word} " in inside for word in phrase.key.split())
        and _same_kind(phrase.text, answer)
        and phrase.text[0].isupper() == answer[0].isupper()
    )


def _from_key_points(material: Material, sections: Sequence[Section], terms: Sequence[Defined]) -> Iterator[_Draft]:
    """Gaps in key points: in the first point of each section, then in the second of each, and so on."""
    asides = {section.id for section in sections if is_aside(section)}
    for place in range(max((len(section.key_points) for section in sections), default=0)):
        for section in sections:
            if section.id not in asides and place < len(section.key_points):
                draft = _gap(material, section.key_points[place], terms)
                if draft:
                    yield draft


def _gap(material: Material, point: Claim, terms: Sequence[Defined]) -> _Draft | None:
    if not 9 <= len(point.text.split()) <= 36 or not point.text.endswith(".") or _MARKUP.search(point.text):
        return None
    for phrase in material.phrases.inside(normal_text(point.text))[:4]:
        spots = list(re.finditer(rf"(?<!\w){re.escape(phrase.text)}(?!\w)", point.text, re.IGNORECASE))
        if len(spots) != 1 or not _stands_apart(material, point.text, spots[0]) or not _is_special(phrase.key):
            continue
        if not phrase.is_noun or phrase.count < 3 or _NO_NOUNS & set(phrase.key.split()):
            continue
        wrong = _terms_like(material, terms, phrase.text, point.text)
        wrong += _phrases_like(material, phrase.text, point.text, taken=wrong)
        if len(wrong) < _OPTIONS - 1:
            continue
        stem = _blanked(point.text, spots[0])
        return _Draft(stem=stem, answer=phrase.text, wrong=tuple(wrong), source=point.text, blocks=point.blocks)
    return None


def _stands_apart(material: Material, text: str, spot: re.Match[str]) -> bool:
    """True when the words around the spot do not belong to the same compound noun."""
    key = normal_text(spot.group())
    neighbours = normals(text[: spot.start()])[-1:], normals(text[spot.end() :])[:1]
    compounds = (*(f"{word} {key}" for word in neighbours[0]), *(f"{key} {word}" for word in neighbours[1]))
    if any(material.phrases.weight(compound) for compound in compounds):
        return False
    before, after = words(text[: spot.start()])[-1:], words(text[spot.end() :])[:1]
    touching = [word.lower() for word in before if text[spot.start() - 1] == " "]
    touching_after = [word.lower() for word in after if text[spot.end() : spot.end() + 1] == " "]
    if not before or any(speciality(w) > 0 and not (w in verb_forms() and w.endswith(_INFLECTED)) for w in touching):
        return False
    return all(speciality(w) == 0 or (w in verb_forms() and w not in general_nouns()) for w in touching_after)


def _is_special(key: str) -> bool:
    return all(speciality(word) > 0 for word in key.split()) and any(speciality(word) >= 1 for word in key.split())


def _blanked(text: str, spot: re.Match[str]) -> str:
    before = re.sub(r"\b(a|A)n? $", r"\1(n) ", text[: spot.start()])
    return f"Fill the gap: “{before}{_BLANK}{text[spot.end() :]}”"


def _inside(material: Material, term: str) -> str:
    """A glossary term as it would stand inside a sentence; names and acronyms stay as they are."""
    plain = term[0].lower() + term[1:]
    if any(c.isupper() for c in term[1:]):
        return term
    named = re.compile(rf"(?<=[a-z,] ){re.escape(term)}\b")
    common = re.compile(rf"\b{re.escape(plain)}\b")
    texts = [sentence.raw for sentence in material.sentences]
    is_name = sum(bool(named.search(text)) for text in texts) > sum(bool(common.search(text)) for text in texts)
    return term if is_name else plain


def _capital(text: str) -> str:
    first = text.split(maxsplit=1)[0]
    return text[0].upper() + text[1:] if first.islower() else text
