"""Definitions: which sentences say what a term is, and which terms and texts can stand in a glossary.

Patterns are applied to one sentence of at most 60 words, so that none meets unbounded text.
"""

import re
from dataclasses import dataclass

from services.analysis.offline.definition_patterns import PATTERNS
from services.analysis.offline.words import (
    adjectives,
    function_words,
    general_nouns,
    normal,
    speciality,
    verb_forms,
    words,
)

_MAX_WORDS = 60
_MAX_TERM_WORDS = 4
_OF_ANY = re.compile(r" of an? [\w-]+$")  # "the efficiency of an engine" defines efficiency


@dataclass(frozen=True)
class Definition:
    """`term` as the source writes it, `text` what it is, `strength` 1 (could be chance) to 3 (says so itself)."""

    term: str
    text: str
    strength: int


_ELSEWHERE = re.compile(
    r"\b(?:above|below)(?:$|[,;:)]| and\b| is\b| are\b)|\bthe (?:above|below)\b|\b(?:as follows|following)\b"
)
_POINTS = re.compile(r"\b(?:this|these|those) \w+", re.IGNORECASE)
_LISTING = re.compile(r"^(?:[^,;]{1,40}[,;] ){2,}|^[^,;]{1,25}, [^,;]{1,25} and [^,;]{1,25}$")
_EXPLAINS = re.compile(
    r"^(?:an?|the|any|when|how)\b|\b(?:that|which|who|where|when|of|to|by|for|is|are|from)\b", re.IGNORECASE
)
_COLON = re.compile(r"^[\"“*•\-–—\s]*(?P<t>[\w'’/+()-]+(?: [\w'’/+()-]+){0,3})\s*(?::|\s[–—-]|\s=)\s+(?P<d>\S.{12,})$")
_CUT = re.compile(
    r"(?:,? (?:and|but|so) (?:this|that|it|they|that's|it's|we|you|i|the|there|in|if|these|each|most"
    r"|every|some|today|for|not|one|nobody|when)\b.*"
    r"|[;:] .*|, (?:right|okay|you know|so|but|because|although|while|whereas|not)\b.*|,? (?:which"
    r"|and that) (?:is|was) why\b.*)$",
    re.IGNORECASE,
)
_ORDINALS = frozenset({"first", "second", "third", "zeroth"})
_BAD_TERM = frozenset(
    {
        "goal",
        "question",
        "point",
        "problem",
        "idea",
        "thing",
        "reason",
        "result",
        "example",
        "answer",
        "solution",
        "drawback",
        "advantage",
        "remedy",
        "week",
        "first",
        "second",
        "third",
        "size",
        "here",
        "there",
        "case",
        "fact",
        "effect",
        "way",
        "part",
        "difference",
        "trick",
        "story",
        "consequence",
        "lesson",
        "message",
        "kind",
        "sort",
        "type",
        "topic",
        "subject",
        "lecture",
        "name",
        "word",
        "picture",
        "figure",
        "table",
        "step",
        "number",
        "other",
        "aim",
        "purpose",
        "task",
        "rest",
        "beginning",
        "end",
        "key",
        "upshot",
        "catch",
        "analogy",
        "exception",
        "moral",
        "issue",
        "conclusion",
        "claim",
        "argument",
        "best",
        "worst",
        "only",
        "same",
        "option",
        "tool",
        "default",
        "value",
    }
)
_WEAK_GENUS = re.compile(
    r"^(?:an?|the|any|one of the) (?:\w+ ){0,2}?(?:lot|bit|few|couple|good (?:idea|thing|example"
    r"|reason|way|sign)|great|example|bad|nice|problem|reason|question|example|way to go|mistake|matter"
    r"|big|huge|disaster|success|failure|key|same|only|best|worst|most|more|first|second|third|last"
    r"|point(?! (?:at|where|on|in|from)\b)|case|thing|simple|classic|perfect"
    r"|serious|terrible|beautiful|lovely|long|mess|kind of|sort of|little|shame|mystery|surprise)\b",
    re.IGNORECASE,
)


def bad_terms() -> frozenset[str]:
    """Words that point at something said elsewhere, and so name nothing by themselves."""
    return _BAD_TERM


def definition_in(text: str) -> Definition | None:
    """The definition that a cleaned sentence gives, if it does."""
    if not 6 <= len(text.split()) <= _MAX_WORDS or text.endswith("?"):
        return None
    for pattern, strength in PATTERNS:
        match = pattern.search(text)
        if match and (found := _definition(match["t"], match["d"], strength)):
            return found
    return None


def definition_in_line(text: str) -> Definition | None:
    """The definition that a line gives in the form "Term: what it is", if it does."""
    match = _COLON.match(text) if len(text) <= 400 else None
    if not match or not match["d"][0].isalpha() or len(match["d"].split()) < 3:
        return None
    if _LISTING.match(match["d"]) or not _EXPLAINS.search(match["d"]):
        return None
    # "Parity bit: makes the ones even" says what it does; a sentence that says what it is comes first.
    does = match["d"].split()[0].lower()
    return _definition(
        match["t"], match["d"], 1 if does.endswith("s") and does in verb_forms() - general_nouns() else 3
    )


def _definition(term: str, text: str, strength: int) -> Definition | None:
    term = _OF_ANY.sub("", plain_term(term))
    text = _CUT.sub("", text.strip()).strip(" ,;:.")
    if not is_term(term) or len(text.split()) < 4 or _WEAK_GENUS.match(text):
        return None
    if re.search(
        r"\b(?:this|these|those|here|above|below|i|it|its|they|their|them|following)\b", text[:16], re.IGNORECASE
    ):
        return None
    if _ELSEWHERE.search(text) or _POINTS.search(" ".join(text.split()[:8])):
        return None
    if set(words(normal_text(term))) <= set(words(normal_text(text))):
        return None
    return Definition(term, text[0].upper() + text[1:] + ".", strength)


def normal_text(text: str) -> str:
    """`text` in normal lower-case words."""
    return " ".join(normal(word).lower() for word in words(text))


def plain_term(term: str) -> str:
    """`term` without articles and quotes."""
    return re.sub(
        r"^(?:an?|the|what (?:we|is) call(?:ed)?|so-called)\s+", "", term.strip(" \"“”'’.,"), flags=re.IGNORECASE
    )


def is_term(term: str) -> bool:
    """True when `term` can stand in a glossary: a noun phrase with a word of the field in it."""
    found = [word.lower() for word in words(term)]
    if found[:1] and found[0] in _ORDINALS and {"law", "theorem", "principle"} & set(found):
        found = found[1:]
    if not 1 <= len(found) <= _MAX_TERM_WORDS or found[-1] in _BAD_TERM or found[0] in _BAD_TERM or len(term) > 50:
        return False
    inner = [word for word in found if word not in {"of", "the"}]
    if not inner or found[0] in function_words() | {"of"} or any(word in function_words() for word in inner):
        return False
    return not (
        found[-1] in adjectives()
        or found[-1].endswith("ly")
        or (
            found[0] in verb_forms()
            and not found[0].endswith(("ing", "ed"))
            and len(found) > 1
            and speciality(found[0]) < 1
            and found[0].endswith("s")
        )
    )


def is_special(term: str) -> bool:
    """True when a term is the field's own, not a word of everyday use."""
    found = [word.lower() for word in words(term) if word.lower() not in {"of", "the"}]
    return len(found) >= 2 or any(speciality(word) >= 1 for word in found)
