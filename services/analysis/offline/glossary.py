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
    normal_text,
)
from services.analysis.offline.material import Material, heading_texts
from services.analysis.offline.named import named_after, with_subject
from services.analysis.offline.sentences import Sentence
from services.analysis.offline.words import words
from shared.documents import GlossaryEntry, TableBlock

_MAX_ENTRIES = 40
_SAYS_SO = 3  # the source itself calls it a term, however everyday the word
_MAX_FAULT = 1.4  # a definition is taken out of its sentence, so it may lean on more than a quoted one
_MAX_FAULT_OF_NAMING = 1.9
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
        if not (is_special(definition.term) or key in headings or definition.strength >= _SAYS_SO):
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
        if definition is None:
            definition = definition_in(sentence.text)
            if definition and not sentence.is_line and sentence.fault >= _most_fault(definition):
                definition = None
        blocks = sentence.blocks
        if before is not None:
            together = with_subject(definition, before) if definition else named_after(before, sentence)
            if together:
                definition, blocks = together, tuple(dict.fromkeys([*before.blocks, *sentence.blocks]))
        if definition:
            yield normal_text(definition.term), definition, blocks, sentence.position
        before = None if sentence.is_line else sentence


def _most_fault(definition: Definition) -> float:
    return _MAX_FAULT_OF_NAMING if definition.strength >= _SAYS_SO else _MAX_FAULT


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
