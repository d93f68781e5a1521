"""Definitions: which sentences say what a term is, by the patterns of English lecturers and textbooks.

After Hearst's and Navigli's definition patterns ("X is a Y that", "is called X", "X refers to"), applied to one
sentence of at most 60 words, so that no pattern meets unbounded text.
"""

import re
from dataclasses import dataclass

from services.analysis.offline.words import adjectives, function_words, normal, speciality, verb_forms, words

_MAX_WORDS = 60
_MAX_TERM_WORDS = 4
_OF_ANY = re.compile(r" of an? [\w-]+$")  # "the efficiency of an engine" defines efficiency
_T = r"(?P<t>[A-Za-z][\w'’/+-]*(?: (?:of (?:the |an? )?)?[\w'’/+-]+){0,4}?)"
_ALIAS = r"(?:,? (?:or|also called|also known as|sometimes called|often called) [^,]{2,40},| \([^)]{1,40}\))?"
_GENUS = (
    r"(?:process|ability|study|amount|number|set|rate|ratio|movement|total|percentage|sum|value|cost"
    r"|difference|branch|science"
    r"|practice|principle|idea that|tendency|degree|extent|change|increase|decrease|loss|release"
    r"|conversion|transfer|use of"
    r"|additional|extra|name (?:for|of|given)|term for|measure|property|quantity|price|point at"
    r"|point where|region|layer|part of|area|unit"
    r"|state|condition|situation|act|art|theory|law|system|finding that|smallest|largest|fraction|proportion"
    r"|probability|time (?:it|that)|distance|result of"
    r"|network|fluid|membrane|structure|molecule|enzyme|organelle|group|class|body|collection|period"
    r"|right to|theory that|claim that|view that|belief that|value of)"
)


@dataclass(frozen=True)
class Definition:
    """`term` as the source writes it, `text` what it is, `strength` 1 (could be chance) to 3 (says so itself)."""

    term: str
    text: str
    strength: int


_PATTERNS: tuple[tuple[re.Pattern[str], int], ...] = (
    (
        re.compile(
            r"^(?:the )?(?P<t>[\w'’-]+(?: [\w'’-]+){0,2}? (?:law|theorem|principle|rule|hypothesis|paradox"
            r"|effect|conjecture|axiom|postulate)|(?:(?:first|second|third|zeroth) )?(?:law|principle|theory"
            r"|rule) of (?:\w+ )?\w+) (?:says"
            r"|states|holds|tells us|claims|asserts|implies) that,? (?P<d>.+)",
            re.IGNORECASE,
        ),
        3,
    ),
    (
        re.compile(
            r"^(?P<t>[A-Z][\w'’-]+(?: [a-z][\w'’-]+)?) (?:is|are|was|were) (?P<d>the (?:\w+ ){0,2}?\w+ (?:of"
            r"|between|by which|through which|in which|at which|with which|from) .+)"
        ),
        2,
    ),
    (
        re.compile(
            r"^(?:the )?(?P<t>[\w'’-]+(?: [\w'’-]+){0,2}s) (?:are|were) (?P<d>(?:[\w-]+ ){0,3}?\w+(?:s"
            r"|people|men|women)(?: of (?:\w+ ){1,2}\w+)? (?:that|which|who|whose|made|used|in which|with"
            r"|containing|consisting) .+)",
            re.IGNORECASE,
        ),
        2,
    ),
    (
        re.compile(
            rf"^(?:an?|the)?\s?{_T}{_ALIAS} (?:is|are) (?:defined as|(?:just |simply )?the (?:name"
            rf"|term) (?:for|of)) (?P<d>.+)",
            re.IGNORECASE,
        ),
        3,
    ),
    (
        re.compile(
            rf"^(?:the term |the word |an?\s|the\s)?{_T}{_ALIAS} (?:refers? to|denotes?|is short for"
            rf"|stands for) (?P<d>.+)",
            re.IGNORECASE,
        ),
        3,
    ),
    (
        re.compile(
            rf"^(?:the term |the word |an?\s|the\s)?[\"“]?{_T}[\"”]?{_ALIAS} (?:simply "
            rf"|just )?means? (?P<d>(?:the|an?|that|any) .+)",
            re.IGNORECASE,
        ),
        2,
    ),
    (
        re.compile(
            rf"^by (?:an?\s|the\s)?{_T},? (?:we|economists|historians|biologists|physicists"
            rf"|people) (?:simply |just )?means? (?P<d>.+)",
            re.IGNORECASE,
        ),
        3,
    ),
    (
        re.compile(
            rf"^(?:an?\s|the\s)?{_T}{_ALIAS} (?:is|are|was|were) (?:essentially |simply |just "
            rf"|really )?(?P<d>the (?:\w+ ){{0,2}}?{_GENUS}\b.+)",
            re.IGNORECASE,
        ),
        2,
    ),
    (
        re.compile(
            rf"^(?:an?\s|the\s)?{_T}{_ALIAS} (?:is|are|was|were) (?:essentially |simply |just |really )?"
            r"(?P<d>(?:an?|any|one of the|one particular) .+? (?:that|which|who|whose|where|in which|of|for"
            r"|used|made|to"
            r"|with|between|from|by|when|containing|consisting) .+)",
            re.IGNORECASE,
        ),
        2,
    ),
    (
        re.compile(
            r"^(?P<d>.+?),? (?:which|and (?:this|that|it)|that) (?:process |effect |idea |phenomenon "
            r"|quantity |point )?(?:is"
            r"|are|was|were) (?:what is |often |usually |then )?"
            r"(?:called|known as|termed|referred to as) (?:an?\s|the\s)?(?P<t>[\w'’-]+(?: [\w'’-]+){0,3})[.,]?$",
            re.IGNORECASE,
        ),
        2,
    ),
    (
        re.compile(
            r"^(?:we|[a-z]+ists|[a-z]+ians|people) (?:then |now "
            r"|often )?call (?P<d>(?:the|an?|any|all) .+?) (?:an?\s|the\s)?"
            r"(?P<t>[\w'’-]+(?: [\w'’-]+){0,2})[.]$",
            re.IGNORECASE,
        ),
        1,
    ),
    (
        re.compile(
            r"^(?P<d>(?:the|an?|any) (?:\w+ ){0,8}?\w+(?: (?:of|by|in|at|that|which|where|from|to|between"
            r"|with) .+?)?) (?:is|are|was|were) (?:often |usually |then )?"
            r"(?:called|known as|termed|referred to as) (?:an?\s|the\s)?(?P<t>[\w'’-]+(?: [\w'’-]+){0,3})[.,]?$",
            re.IGNORECASE,
        ),
        2,
    ),
    (
        re.compile(
            rf"\b(?:called|known as) (?:an?\s|the\s)?{_T}, (?:which (?:is|are|was)|that is,?|meaning"
            rf"|or) (?P<d>(?:an?|the|any) .+)",
            re.IGNORECASE,
        ),
        2,
    ),
    (
        re.compile(
            rf"^(?:an?\s|the\s)?{_T}, which (?:is|are|was|were) (?P<d>(?:an?|the|any) [^,]+ [^,]+ [^,]+),",
            re.IGNORECASE,
        ),
        1,
    ),
)
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
        "default",
        "value",
    }
)
_WEAK_GENUS = re.compile(
    r"^(?:an?|the|any|one of the) (?:\w+ ){0,2}?(?:lot|bit|few|couple|good (?:idea|thing|example"
    r"|reason|way|sign)|great|example|bad|nice|problem|reason|question|example|way to go|mistake|matter"
    r"|big|huge|disaster|success|failure|key|same|only|best|worst|most|more|first|second|third|last"
    r"|point|case|thing|simple|classic|perfect"
    r"|serious|terrible|beautiful|lovely|long|mess|kind of|sort of|little|shame|mystery|surprise)\b",
    re.IGNORECASE,
)


def definition_in(text: str) -> Definition | None:
    """The definition that a cleaned sentence gives, if it does."""
    if not 6 <= len(text.split()) <= _MAX_WORDS or text.endswith("?"):
        return None
    for pattern, strength in _PATTERNS:
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
    return _definition(match["t"], match["d"], 3)


def _definition(term: str, text: str, strength: int) -> Definition | None:
    term = _OF_ANY.sub("", plain_term(term))
    text = _CUT.sub("", text.strip()).strip(" ,;:.")
    if not is_term(term) or len(text.split()) < 4 or _WEAK_GENUS.match(text):
        return None
    if re.search(
        r"\b(?:this|these|those|here|above|below|i|it|its|they|their|them|following)\b", text[:16], re.IGNORECASE
    ):
        return None
    if re.search(r"\b(?:above|below|as follows|following)\b", text):
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
