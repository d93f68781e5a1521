"""The title of a section: its slide's or heading's, else the key phrase that is most its own."""

import math
import re
from collections.abc import Sequence

from services.analysis.offline.cleaning import tidy, without_fillers
from services.analysis.offline.cues import is_only_opener, topic_of
from services.analysis.offline.material import Material
from services.analysis.offline.parts import Part
from services.analysis.offline.phrases import Phrase, key_phrases
from services.analysis.offline.sentences import Sentence, slide_lines
from services.analysis.offline.standalone import NOT_QUOTABLE
from services.analysis.offline.words import words
from shared.documents import Claim, SlideBlock

_MAX_CHARS = 120
_MAX_EVIDENCE = 8
_NUMBERING = re.compile(
    r"^(?:(?:chapter|section|part|slide)\s+)?(?:\d+(?:\.\d+)*\.?|[IVX]+\.|[A-Z]\.)\s+(?=\S)", re.IGNORECASE
)


def title_of(material: Material, part: Part, *, defined: frozenset[str], taken: Sequence[str]) -> Claim:
    """The title of `part`, not one of those `taken` by other sections where that can be avoided."""
    if part.head is not None:
        head = material.blocks[part.head]
        text = heading_text(_head_text(head.title or _first_line(head) if isinstance(head, SlideBlock) else head.text))
        if text:
            return Claim(text=text, blocks=(head.id,))
    sentences = material.between(part.start, part.end)
    announced = _announced(material, sentences, {title.casefold() for title in taken})
    if announced:
        return announced
    phrases = _own_phrases(material, sentences, defined, {title.casefold() for title in taken})
    phrases = phrases or _once_said(material, sentences, {title.casefold() for title in taken})
    if phrases:
        text = " and ".join(_surface(phrase, sentences) for phrase in phrases)
        blocks = [s.blocks[0] for s in sentences if any(f" {phrase.key} " in s.key for phrase in phrases)]
        return Claim(text=_capital(text), blocks=tuple(dict.fromkeys(blocks))[:_MAX_EVIDENCE])
    return Claim(text=_numbered(material, part, taken), blocks=(material.blocks[part.start].id,))


def _announced(material: Material, sentences: Sequence[Sentence], taken: set[str]) -> Claim | None:
    """What the speaker says the part is about, in its first words."""
    if not material.english or material.document.kind != "recording":
        return None
    for sentence in [s for s in sentences if not s.is_line and not is_only_opener(s.raw)][:1]:
        topic = topic_of(without_fillers(sentence.raw))
        if topic and topic.casefold() not in taken:
            return Claim(text=topic, blocks=sentence.blocks)
    return None


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


def _own_phrases(
    material: Material, sentences: Sequence[Sentence], defined: frozenset[str], taken: set[str]
) -> list[Phrase]:
    """The one or two phrases that these sentences use most and the rest of the source least."""
    keys = [sentence.key for sentence in sentences]
    opening = " ".join(keys[:4])
    named = set(" and ".join(taken).split(" and "))
    scores: dict[Phrase, float] = {}
    for phrase in material.phrases.ranked:
        here = sum(f" {phrase.key} " in key for key in keys)
        if not here or phrase.text.casefold() in named:
            continue
        score = min(here, 6) * here / (3 + max(phrase.count, here)) * math.log2(1 + len(phrase.key.split()))
        score *= (1.4 if f" {phrase.key} " in opening else 1.0) * (0.5 + material.phrases.weight(phrase.key))
        score *= (1.6 if phrase.key in defined and here > 1 else 1.0) * (0.6 if phrase.text[0].isupper() else 1.0)
        scores[phrase] = round(score, 6)
    if not scores:
        return []
    order = sorted(scores, key=lambda phrase: (-scores[phrase], phrase.key))
    first = _longer(order, defined)
    second = [
        p for p in order if not set(p.key.split()) & set(first.key.split()) and scores[p] > 0.4 * scores[order[0]]
    ]
    return [first, *second[:1]]


def _once_said(material: Material, sentences: Sequence[Sentence], taken: set[str]) -> list[Phrase]:
    """For a short part none of whose phrases comes up twice: the best one of its first quotable sentences."""
    firsts = [s.text for s in sentences if not s.is_line and s.fault < NOT_QUOTABLE][:2]
    if not material.english or not firsts:
        return []
    found = key_phrases(sentences, english=True, favoured=firsts, limit=8).ranked
    return [p for p in found if p.is_noun and p.text.casefold() not in taken][:1]


def _longer(order: Sequence[Phrase], defined: frozenset[str]) -> Phrase:
    """The best phrase, or the defined term that holds it ("heat engine" for "heat")."""
    best = set(order[0].key.split())
    return next((p for p in order[:12] if p.key in defined and best < set(p.key.split())), order[0])


def _surface(phrase: Phrase, sentences: Sequence[Sentence]) -> str:
    """The phrase in the plural if this section mostly has it so, else as the source mostly writes it."""
    text = " ".join(sentence.raw for sentence in sentences).casefold()
    plural = phrase.text if phrase.text.endswith("s") else phrase.text + "s"
    one = plural.removesuffix("s")
    more = len(re.findall(rf"(?<!\w){re.escape(plural.casefold())}(?!\w)", text))
    if 2 * more > len(re.findall(rf"(?<!\w){re.escape(one.casefold())}s?(?!\w)", text)):
        return plural
    return phrase.text


def _capital(text: str) -> str:
    first = text.split(maxsplit=1)[0]
    return text[0].upper() + text[1:] if first.islower() else text
