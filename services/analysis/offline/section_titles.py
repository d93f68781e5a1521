"""The title of a section: its slide's or heading's, else the key phrase that is most its own."""

import math
import re
from collections.abc import Sequence

from services.analysis.offline.cleaning import tidy
from services.analysis.offline.material import Material
from services.analysis.offline.parts import Part
from services.analysis.offline.phrases import Phrase
from services.analysis.offline.sentences import Sentence, slide_lines
from services.analysis.offline.words import words
from shared.documents import Claim, SlideBlock

_MAX_CHARS = 120
_NUMBERING = re.compile(
    r"^(?:(?:chapter|section|part|slide)\s+)?(?:\d+(?:\.\d+)*\.?|[IVX]+\.|[A-Z]\.)\s+(?=\S)", re.IGNORECASE
)


def title_of(material: Material, part: Part, *, taken: Sequence[str]) -> Claim:
    """The title of `part`, not one of those `taken` by other sections where that can be avoided."""
    if part.head is not None:
        head = material.blocks[part.head]
        text = heading_text(_head_text(head.title or _first_line(head) if isinstance(head, SlideBlock) else head.text))
        if text:
            return Claim(text=text, blocks=(head.id,))
    sentences = material.between(part.start, part.end)
    phrase = _own_phrase(material, sentences, {title.casefold() for title in taken})
    if phrase:
        blocks = [s.blocks[0] for s in sentences if f" {phrase.key} " in s.key]
        return Claim(text=_capital(phrase.text), blocks=tuple(dict.fromkeys(blocks))[:8])
    return Claim(text=_numbered(material, part, taken), blocks=(material.blocks[part.start].id,))


def _numbered(material: Material, part: Part, taken: Sequence[str]) -> str:
    head = material.blocks[part.head] if part.head is not None else None
    return f"Slide {head.number}" if isinstance(head, SlideBlock) else f"Part {len(taken) + 1}"


def _first_line(slide: SlideBlock) -> str:
    lines = [line for line in slide_lines(slide) if len(words(line)) >= 1]
    return lines[0] if lines and len(lines[0]) <= _MAX_CHARS else ""


def _head_text(text: str) -> str:
    return text if words(text) else ""


def heading_text(text: str) -> str:
    """A heading without its number, shortened at a word to fit a line or two."""
    plain = tidy(text)
    plain = _NUMBERING.sub("", plain) or plain
    plain = plain.rstrip(" .:;,-–—") or plain
    if len(plain) <= _MAX_CHARS:
        return plain
    return plain[:_MAX_CHARS].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"


def _own_phrase(material: Material, sentences: Sequence[Sentence], taken: set[str]) -> Phrase | None:
    """The phrase that these sentences use most and the rest of the source least."""
    keys = [sentence.key for sentence in sentences]
    opening = " ".join(keys[:4])
    best: Phrase | None = None
    best_score = 0.0
    for phrase in material.phrases.ranked:
        if phrase.text.casefold() in taken:
            continue
        here = sum(f" {phrase.key} " in key for key in keys)
        if not here:
            continue
        length = len(phrase.key.split())
        score = min(here, 6) * here / (3 + max(phrase.count, here)) * math.log2(1 + length)
        score *= (1.4 if f" {phrase.key} " in opening else 1.0) * (0.5 + material.phrases.weight(phrase.key))
        if round(score, 6) > best_score:
            best, best_score = phrase, round(score, 6)
    return best


def _capital(text: str) -> str:
    first = text.split(maxsplit=1)[0]
    return text[0].upper() + text[1:] if first.islower() else text
