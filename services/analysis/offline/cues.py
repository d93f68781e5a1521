"""Spoken cues: the sentences with which a lecturer opens a new part, and what they say the part is about."""

import re
from enum import IntEnum

from services.analysis.offline.definitions import bad_terms, normal_text
from services.analysis.offline.words import adjectives, function_words, general_nouns, speciality, verb_forms, words

_OPENER = (
    r"(?:(?:okay|ok|alright|all right|right|so|now|well|and|good|great|then|finally|lastly|next"
    r"|first(?:ly)?|second(?:ly)?|third(?:ly)?)\b[,.!]*\s*){0,3}"
)
_LET_US = (
    r"(?:let us|let's|let me|(?:we|i)(?:'ll| will| can| now| shall| should)*|(?:we|i) (?:want|need|would like) to"
    r"|i'd like to|(?:we're|i'm|we are|i am) (?:now )?going to|it is time to|it's time to)"
)
_GO_TO = (
    r"(?:turn(?:ing)? (?:our attention )?(?:back )?to|mov(?:e|ing) (?:on |over )?to|go(?:ing)? (?:on|over|back) to"
    r"|com(?:e|ing) (?:back |on )?to|look(?:ing)? (?:more closely |briefly |in (?:more )?detail )?(?:at|into)"
    r"|talk(?:ing)? (?:a (?:little )?bit )?about|start(?:ing)? with|begin(?:ning)? with|consider|discuss|examine"
    r"|say (?:something|a (?:few words|word|little|bit)(?: more)?) about|tell you (?:a bit |something )?about"
    r"|think(?:ing)? about|finish(?:ing)? with|end with|introduce|see|ask(?: ourselves)?|understand)"
)
_ADVERB = r"(?:now |next |first |then |also |finally |briefly |quickly |just )?"
_TURN = re.compile(
    rf"^(?:before we [^,]{{2,40}}, )?{_OPENER}(?:{_LET_US} {_ADVERB}(?:now )?{_GO_TO}"
    rf"|(?:turning|moving|coming|going)(?: (?:now|on|over|back))* to"
    r"|(?:that|this|which) (?:brings|leads|takes) us (?:on )?to"
    r"|so much for [^,.]+[,.]? (?:now )?(?:for|to)|as for|what about|how about) (?:a |an |the )?(?P<t>.+)$",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"^(?P<opener>(?:(?:first of all|okay|ok|alright|all right|right|so|now|well|then|finally|lastly"
    r"|next)\b[,.!]*\s*){1,3})(?P<t>(?:what|how|why|where|when|who|which)\b.+)$",
    re.IGNORECASE,
)
_UNOPENED = re.compile(r"^(?:and,? )?(?P<t>(?:what|how|why)\b.+\?)$", re.IGNORECASE)
_START = r"(?:okay|ok|alright|all right|right|so|now|next|and finally|finally|lastly|first|second|third)"
_BARE = re.compile(
    rf"^(?:{_START}[,.]?\s+){{0,2}}{_START}[,.!]\s+(?:so,? |now,? )?(?P<t>[\w'’ -]+?)(?: first| now| then)?[.!]?$",
    re.IGNORECASE,
)
_ENUMERATES = re.compile(
    rf"^{_OPENER}(?:(?:the|our|a|my) (?:second|third|fourth|fifth|sixth|next|last|final|other)|another)"
    r" (?:big |main |great |major |important |key )?(?:thing|reason|part|type|kind|sort|form|way|question|point|step"
    r"|topic|stage|idea|problem|factor|cause|phase|group|example|theme|period|method|approach|class|piece|property|feature|effect|aspect|family)\b"
    r"(?:[^,.;:?!]{0,40}? (?:is|are|was|were|concerns) (?P<t>.+))?",
    re.IGNORECASE,
)
_SEQUENCE = re.compile(
    r"^(?:(?:okay|ok|alright|so|now|and)\b,?\s*)*"
    r"(?:finally|lastly|next|secondly|thirdly|fourthly|last but not least|on to the next)\b",
    re.IGNORECASE,
)
_WEAK = re.compile(
    r"^(?:okay|ok|alright|all right|right|so|now|well|and)?[,.]?\s*(?:"
    r"(?:now|okay|ok|alright|all right|right|so far|next|finally|another|the (?:second|third|fourth|next|last|other)"
    r"|let us|let's|turning to|moving on|what (?:about|happens|then)|how (?:do|does|did|can)"
    r"|why (?:do|does|did|is)|having"
    r"|before (?:we|i)|to (?:summarise|summarize|conclude|recap)|in summary|first of all|secondly"
    r"|thirdly|i want to)\b)",
    re.IGNORECASE,
)
_INDIRECT = re.compile(
    r"^(?:how|why|when|where) (?!(?:do|does|did|is|are|was|were|can|could|should|will|would|has)\b)", re.IGNORECASE
)
_ONLY_OPENER = re.compile(
    r"^(?:(?:okay|ok|alright|all right|right|so|now|well|good|great|um|uh|yeah)[,.!… ]*)+$", re.IGNORECASE
)
_POINTS_BACK = re.compile(
    r"\b(?:this|that|these|those|it|its|they|them|their|he|his|she|her|him|i|me|my|you|your|all|here|there|mean|happened|one"
    r"|next|else|so)\b",
    re.IGNORECASE,
)
_PHRASE_END = re.compile(
    r"[,.;:?!]|(?:^|\s)(?:first|now|next|again|then|briefly|quickly|in (?:more |some |a bit of )?detail|more closely"
    r"|in turn|today|a (?:little )?bit|because|which|that|who|and (?:this|that|how|why|what|see|ask|then|i|we|it)"
    r"|so|for a|before|as|where|when|while|since|to see|is|are|was|were|has|have|with|at the)(?=[\s,.;:?!]|$)",
    re.IGNORECASE,
)
_NO_TOPIC = frozenset(
    {
        "example",
        "examples",
        "board",
        "graph",
        "slide",
        "diagram",
        "detail",
        "details",
        "look",
        "minute",
        "moment",
        "while",
        "lot",
        "bit",
        "question",
        "questions",
        "side",
        "thing",
        "things",
        "word",
        "words",
        "back",
        "beginning",
        "start",
        "couple",
        "few",
        "number",
        "numbers",
        "picture",
        "text",
        "handout",
        "one",
    }
)
_MAX_TITLE_WORDS = 6
_MAX_QUESTION_WORDS = 10
_MAX_BARE_WORDS = 5
_LEAST_QUESTION_WORDS = 5


class Cue(IntEnum):
    """How clearly a sentence opens a new part."""

    NONE = 0
    WEAK = 1
    LIKELY = 2
    STRONG = 3


def cue_of(text: str) -> Cue:
    """How clearly the sentence `text`, as spoken, opens a new part."""
    if any(pattern.match(text) for pattern in (_TURN, _ENUMERATES, _SEQUENCE)) or _is_question(text) or _bare(text):
        return Cue.STRONG
    if text.endswith("?") and _UNOPENED.match(text) and len(words(text)) >= _LEAST_QUESTION_WORDS:
        return Cue.LIKELY
    return Cue.WEAK if _WEAK.match(text) else Cue.NONE


def is_only_opener(text: str) -> bool:
    """True for a sentence such as "Okay." that belongs to the next one."""
    return _ONLY_OPENER.match(text) is not None


def topic_of(text: str) -> str:
    """What the cue `text` says comes next, as a title: a noun phrase or a question; empty if it does not say."""
    turn = _TURN.match(text)
    if turn:
        return _noun_phrase(turn["t"]) or _as_question(turn["t"])
    counted = _ENUMERATES.match(text)
    if counted and counted["t"]:
        return _noun_phrase(counted["t"]) or _as_question(counted["t"])
    question = _QUESTION.match(text) or _UNOPENED.match(text)
    return _as_question(question["t"]) if question else _bare(text)


def _is_question(text: str) -> bool:
    match = _QUESTION.match(text)
    return match is not None and 4 <= len(words(match["t"])) <= 16 and (text.endswith("?") or _asks(match["t"]))


def _asks(text: str) -> bool:
    """True for "what drives the plates", whose mark the recogniser dropped; not for "when water freezes, ..."."""
    return re.match(r"(?:what|how|why|who)\b", text, re.IGNORECASE) is not None and "," not in text and len(text) < 60


def _as_question(text: str) -> str:
    plain = text.strip(" .?!,")
    found = words(plain)
    if not 3 <= len(found) <= _MAX_QUESTION_WORDS or "," in plain or _POINTS_BACK.search(plain):
        return ""
    if not re.match(r"(?:what|how|why|where|when|who|which)\b", plain, re.IGNORECASE) or not _says_something(found):
        return ""
    asks = text.rstrip().endswith("?") or (_asks(plain) and not _INDIRECT.match(plain))
    return plain[0].upper() + plain[1:] + ("?" if asks else "")


def _noun_phrase(text: str) -> str:
    end = _PHRASE_END.search(text)
    plain = re.sub(
        r"^(?:the (?:topic|subject|question|problem|idea|concept|notion) of |some |our |an? |the )+",
        "",
        text[: end.start()] if end else text,
        flags=re.IGNORECASE,
    ).strip(" -'’\"“”")
    found = [word.lower() for word in words(plain)]
    if not 1 <= len(found) <= _MAX_TITLE_WORDS or _POINTS_BACK.search(plain) or found[-1] in _NO_TOPIC | bad_terms():
        return ""
    if found[0] in function_words() or found[-1] in function_words() or found[-1] in adjectives():
        return ""
    return plain[0].upper() + plain[1:] if _says_something(found) else ""


def _says_something(found: list[str]) -> bool:
    return any(speciality(word.lower()) > 0 and word.lower() not in function_words() for word in found)


def _bare(text: str) -> str:
    """The topic of "Okay, elasticity." or "So, the disease first.": a noun phrase without a verb."""
    match = _BARE.match(text)
    if not match or not 1 <= len(words(match["t"])) <= _MAX_BARE_WORDS:
        return ""
    found = [word.lower() for word in words(match["t"])]
    inner = found[1:] if found[0] in {"the", "a", "an"} else found
    plain = len(inner) == 1 or not any(word in verb_forms() for word in inner)
    special = any(speciality(word) >= 1 or word in general_nouns() for word in words(normal_text(match["t"])))
    return _noun_phrase(match["t"]) if plain and special else ""
