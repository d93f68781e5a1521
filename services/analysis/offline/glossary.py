"""The glossary: the terms that the source defines, with its own words for each."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.analysis.offline.cleaning import tidy
from services.analysis.offline.definitions import (
    Definition,
    definition_in,
    definition_in_line,
    is_special,
    is_term,
    normal_text,
    plain_term,
)
from services.analysis.offline.material import Material, heading_texts
from services.analysis.offline.sentences import Sentence
from services.analysis.offline.words import words
from shared.documents import GlossaryEntry, TableBlock

_MAX_ENTRIES = 40
_MAX_FAULT = 1.4  # a definition is taken out of its sentence, so it may lean on more than a quoted one
_TABLE_HEADS = re.compile(
    r"\b(?:term|name|option|command|word|concept|abbreviation|acronym|symbol|field|key|keyword|parameter)s?\b",
    re.IGNORECASE,
)
_TABLE_TEXTS = re.compile(
    r"\b(?:meaning|definition|description|explanation|purpose|what it (?:is|does|means))s?\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Defined:
    """A glossary entry with the position of its sentence (none for a table row) and its rank."""

    entry: GlossaryEntry
    key: str
    position: int | None
    rank: float


def defined_terms(material: Material) -> list[Defined]:
    """Terms with definitions, in alphabetical order, each term once."""
    if not material.english:
        return []
    best: dict[str, Defined] = {}
    counts: Counter[str] = Counter()
    found = [*_in_sentences(material), *_in_tables(material)]
    headings = {normal_text(text) for text in heading_texts(material.document)}
    wanted = {key for key, *_ in found}
    for sentence in material.sentences:
        for key in _grams(sentence.key.split()) & wanted:
            counts[key] += 1
    for key, definition, blocks, position in found:
        rank = definition.strength + min(3, counts[key]) * 0.5 + 2 * material.phrases.weight(key)
        if not (is_special(definition.term) or key in headings):
            continue
        if definition.strength < 2 and counts[key] < 2:
            continue
        if key not in best or rank > best[key].rank + 1e-6:
            entry = GlossaryEntry(term=_written(definition.term), definition=definition.text, blocks=blocks)
            best[key] = Defined(entry, key, position, round(rank, 6))
    kept = sorted(best.values(), key=lambda d: (-d.rank, d.key))[:_MAX_ENTRIES]
    return sorted(kept, key=lambda d: (d.entry.term.casefold(), d.key))


def _grams(tokens: Sequence[str]) -> set[str]:
    return {" ".join(tokens[i : i + n]) for n in range(1, 5) for i in range(len(tokens) - n + 1)}


_Found = tuple[str, Definition, tuple[str, ...], int | None]


def _in_sentences(material: Material) -> Iterator[_Found]:
    before: Sentence | None = None
    for sentence in material.sentences:
        definition = definition_in_line(sentence.text) if sentence.is_line else None
        if definition is None and (sentence.fault < _MAX_FAULT or sentence.is_line):
            definition = definition_in(sentence.text)
        blocks = sentence.blocks
        if definition is None and before is not None:
            definition = _named_after(before, sentence)
            blocks = tuple(dict.fromkeys([*before.blocks, *sentence.blocks]))
        if definition:
            yield normal_text(definition.term), definition, blocks, sentence.position
        before = None if sentence.is_line else sentence


_GENERAL = re.compile(r"^(?:when|whenever|if|as)\b", re.IGNORECASE)  # what happens each time, not what happened once
_NAMED = re.compile(
    r"^(?:this|that|these|such an? \w+|this (?:process of \w+|process|effect|idea|phenomenon|method"
    r"|rule|movement|principle|policy|system|quantity|difference|gap)|we call (?:this|that|it)"
    r"|(?:[a-z]+ists|[a-z]+ians|people) call (?:this|that|it))(?: (?:is|are"
    r"|was|were) (?:what (?:we|is) |often |usually )?"
    r"(?:call(?:ed)?|known as|termed|referred to as))? (?:an?\s|the\s)?(?P<t>[\w'’-]+(?: [\w'’-]+){0,3})\.$",
    re.IGNORECASE,
)


def _named_after(before: Sentence, sentence: Sentence) -> Definition | None:
    """A definition in two sentences: what it is, then "This is called X"."""
    match = _NAMED.match(sentence.text) if len(sentence.text) < 120 else None
    if (
        not match
        or not _GENERAL.match(before.text)
        or before.fault >= 0.6
        or definition_in(before.text)
        or not 6 <= before.words <= 40
    ):
        return None
    term = plain_term(match["t"])
    return Definition(term, before.text, 2) if is_term(term) and "call" in sentence.text else None


def _in_tables(material: Material) -> Iterator[_Found]:
    for block in material.blocks:
        if not isinstance(block, TableBlock) or not block.has_header or len(block.rows) < 2 or len(block.rows[0]) < 2:
            continue
        head = block.rows[0]
        if not _TABLE_HEADS.search(head[0][:60]) or not _TABLE_TEXTS.search(head[1][:60]):
            continue
        for row in block.rows[1:]:
            term, text = (tidy(cell) for cell in (*row, "", "")[:2])
            if 0 < len(term) <= 50 and 3 <= len(words(text)) <= 60 and words(term):
                stop = "" if text.endswith(".") else "."
                yield normal_text(term), Definition(term, text + stop, 3), (block.id,), None


def _written(term: str) -> str:
    first = term.split(maxsplit=1)[0]
    return term[0].upper() + term[1:] if first.islower() and first.replace("-", "").isalpha() else term
