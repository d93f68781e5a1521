"""How well a sentence reads away from its place: what it points at must be inside it."""

import re

from services.analysis.offline.words import base_verbs, function_words, general_nouns, speciality, verb_forms, words

NOT_QUOTABLE = 1.0
_DANGLING = re.compile(
    r"^(?:this|that|these|those|it|they|he|she|his|her|its|their|such|both|here|there it"
    r"|one of (?:these|those|them)|some of"
    r" (?:these|those|them)|all of (?:this|these|that)|most of (?:these|them)|neither|either|another"
    r"|the (?:same|other|former"
    r"|latter|second|third|first|next|last|following|above|reverse|opposite|rest|question|answer"
    r"|reason|problem is solved)\b"
    r"|that's|it's|they're|he's|she's|which|who|whom|where|because|since then|then|instead|otherwise"
    r"|also|none of|each of these"
    r"|in (?:this|that|these|those|such|both|each) |at (?:this|that) |for (?:this|that|these) "
    r"|from (?:this|that|there|here)"
    r"|with (?:this|that|these) |under (?:this|that|these) |like (?:this|that) |by (?:this|that"
    r"|doing) |after (?:this|that) |before (?:this|that) |as (?:such|above|before"
    r"|shown|mentioned|you|we|i) |to (?:do|see|understand) (?:this|that|why)|again|similarly"
    r"|whatever|once (?:this|that|it) )",
    re.IGNORECASE,
)
_EXPLETIVE = re.compile(
    r"^it (?:is|was) [a-z]+ (?:that|to|for|who)\b|^those who\b|^that (?:said|is why)\b", re.IGNORECASE
)
_EARLY_PRONOUN = re.compile(r"\b(?:it|they|them|he|she|him|this|these|those|its|their|his|her)\b", re.IGNORECASE)
_POINTING = re.compile(
    r"\b(?:as follows|(?:in )?the same way|do(?:es)? the same|the following|shown (?:here|below"
    r"|above)|(?:see|look at) (?:the|this|figure"
    r"|table|section|above|below)"
    r"|on (?:this|the (?:next|last|previous)) slide|over here|right here|up here|down here"
    r"|on the (?:board|left|right)\b"
    r"|this (?:one|graph|picture|figure|diagram|slide|table|curve|line|way)|these two|those two"
    r"|(?:described|given|listed) (?:above|below))",
    re.IGNORECASE,
)
_TALK = re.compile(
    r"\b(?:i|i'm|i'll|i've|i'd|me|my|let us|let's|we'll|we're going to|you'll|thank you|thanks"
    r"|welcome|good (?:morning|afternoon)"
    r"|today (?:we|i)|next (?:week|time|lecture|class)|last (?:week|time|lecture|class)|this (?:week"
    r"|lecture|course|class|morning)"
    r"|exam|homework|exercise sheet|reading list|quiz|midterm|final exam|office hours|textbook|seminar"
    r"|any questions|today's|bear with|see you|hands up|can everyone|in a moment|in a minute"
    r"|later on|coming back to|come back to|get to|got to"
    r"|move on|moving on|talk about|look at|have a look|start with|go back|before we|we've (?:seen"
    r"|just)|we (?:saw|just|discussed|covered|have seen))\b",
    re.IGNORECASE,
)
_ABOUT_THE_TALK = re.compile(
    r"\b(?:today's (?:lecture|topic|class|session)|this (?:lecture|course|class|session|seminar)"
    r"|(?:whole|entire) course"
    r"|today,? (?:i|we)\b|welcome|hello everyone|good (?:morning|afternoon|evening)|thank you|problem set|see you"
    r"|for (?:next week|today|homework))\b",
    re.IGNORECASE,
)
_ORDER = re.compile(
    r"^(?:imagine|suppose|consider|think|take|look|say|picture|ask|note|see|compare|try|remember"
    r"|write|read|recall|notice|call|assume|let)\b",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(r"^(?:for example|for instance|e\.g\.|say)\b|\bfor example\b", re.IGNORECASE)
_MARKUP = re.compile(r"[{}<>|\\^~=_]{1}|https?://|www\.|\.{3,}|\[\d+\]|@\w|\s[-+*/]\s|\$")
_INFINITIVE = re.compile(r"^to [a-z]+ [^,]*$", re.IGNORECASE)
_CONDITIONAL_FRAGMENT = re.compile(
    r"^(?:if|when|although|while|because|since|unless|as|after|before|once|whereas|though)\b[^,]*$", re.IGNORECASE
)
_UNFINISHED = re.compile(
    r"(?:[:,;]|\b(?:and|or|but|the|a|an|of|to|in|that|which|is|are|with|for|so|because|says|follows"
    r"|including|e\.g))[.]?$",
    re.IGNORECASE,
)
_ATTRIBUTION = re.compile(
    r"^(?:\d{1,3} )?(?:(?:data |image |photo )?sources?: |courtesy of"
    r"|(?:image|photo|picture|figure)s? (?:by|courtesy|credit)|©|\(c\) |copyright (?:©|\(c\)|\d|by )"
    r"|adapted from|reproduced |used with permission|all rights reserved)",
    re.IGNORECASE,
)
_CONTENTS_ENTRY = re.compile(r" (?:…|\.{4,}|(?:\. ){3,}\.?) ?(?:\d{1,4}|[ivxl]{1,6})$")
_SEQUEL = re.compile(r"^(?:(?:and|so|but) )?then\b", re.IGNORECASE)  # what follows from the sentence before
_STOPPED = re.compile(r"[.!?…。！？][\"”’»)\]』」）]*(?:\[\d+\]|[\d⁰¹²³⁴-⁹]{1,2})?$")
_FORMULA = re.compile(r"[=∑∏∫√∂∇≤≥≈\U0001d400-\U0001d7ff]")
_FIELD = re.compile(r"\w: \S")  # "Size: 1 byte Kind: none": a form, not a sentence
_SELF = re.compile(
    r"^(?:this|these) (?:document|manual|paper|article|report|guide|chapter|specification|page|book"
    r"|library|package|program"
    r"|thesis|notes|standard|study|tutorial|handbook|policy|licen[cs]e|agreement)\b",
    re.IGNORECASE,
)
_AUXILIARY = re.compile(
    r"\b(?:is|are|was|were|has|have|had|can|could|may|might|must|will|would|should|does|do|did|cannot|'s|'re)\b",
    re.IGNORECASE,
)


def fault(text: str, raw: str, *, english: bool) -> float:
    """How badly the cleaned sentence `text` (as spoken: `raw`) reads alone; `NOT_QUOTABLE` and above means never."""
    found = words(text)
    total = _length_fault(text, found) + _symbol_fault(text)
    if raw.rstrip('"”’) ').endswith(("?", "？", ":")):
        total += NOT_QUOTABLE
    if not english:
        return total
    if _SEQUEL.match(raw):
        total += 0.6
    return total + _reference_fault(text) + _talk_fault(text, raw) + _form_fault(text, found)


def print_fault(raw: str) -> float:
    """How badly a printed sentence reads for what was lost around it: its begin, its end, or a formula in it."""
    first, _, _ = raw.partition(" ")
    begins = not first[:1].islower() or any(char.isupper() or char.isdigit() for char in first)
    return 0.0 if begins and _STOPPED.search(raw) and not _FORMULA.search(raw) else NOT_QUOTABLE


def is_contents_entry(text: str) -> bool:
    """Whether a line is one of a table of contents."""
    return _CONTENTS_ENTRY.search(text) is not None


def is_attribution(text: str) -> bool:
    """Whether a text says where something comes from or whose it is."""
    return _ATTRIBUTION.match(text) is not None


def line_fault(text: str) -> float:
    """How badly a line of a slide or list reads alone."""
    found = words(text)
    return (0.0 if 2 <= len(found) <= 30 and not text.endswith(":") else NOT_QUOTABLE) + _symbol_fault(text)


def _length_fault(text: str, found: list[str]) -> float:
    length = len(found) if " " in text or text.isascii() else len(text) // 2  # scripts without spaces
    if length < 5 or length > 60:
        return NOT_QUOTABLE
    return 0.3 if length < 8 else max(0.0, (length - 30) * 0.03)


def _symbol_fault(text: str) -> float:
    letters = sum(c.isalpha() or c.isspace() for c in text)
    if is_attribution(text) or is_contents_entry(text):
        return NOT_QUOTABLE
    if letters < 0.75 * len(text) or "\ufffd" in text:
        return NOT_QUOTABLE
    if text[:1] in "([" or len(_FIELD.findall(text)) > 2:
        return NOT_QUOTABLE
    return min(0.9, 0.3 * len(_MARKUP.findall(text)))


def _reference_fault(text: str) -> float:
    if _SELF.match(text):
        return 0.0
    total = 0.0
    if _DANGLING.match(text) and not _EXPLETIVE.match(text):
        total += NOT_QUOTABLE
    head = " ".join(text.split()[:6])
    early = _EARLY_PRONOUN.search(head)
    if early and not _EXPLETIVE.match(text) and not _has_noun(head[: early.start()]):
        total += NOT_QUOTABLE
    if re.search(r"\b(?:this|these|those) (?!is\b|was\b)[a-z]+", text):
        total += 0.4
    if re.search(r"\b(?:it|them)\.$", text) and len(text.split()) < 12:
        total += NOT_QUOTABLE
    return total + (0.8 if _POINTING.search(text) else 0.0)


def _has_noun(head: str) -> bool:
    return any(speciality(word.lower()) > 0 and word.lower() not in verb_forms() for word in words(head))


def _talk_fault(text: str, raw: str) -> float:
    total = 0.7 * min(2, len(_TALK.findall(text)))
    total += 0.25 * min(2, len(re.findall(r"\b(?:you|your|you're)\b", text, re.IGNORECASE)))
    total += 0.1 * min(2, len(re.findall(r"\b(?:we|our|us)\b", text, re.IGNORECASE)))
    if _ABOUT_THE_TALK.search(raw):
        total += NOT_QUOTABLE
    if _ORDER.match(text):
        total += 0.7
    elif _is_imperative(text):
        total += 0.4
    return total + (0.5 if _EXAMPLE.search(raw) else 0.0)


def _is_imperative(text: str) -> bool:
    first = text.split(maxsplit=1)[0].lower()
    return first in {"do", "don't", "please", "never", "always"} or (
        first in base_verbs() and first not in general_nouns()
    )


def _form_fault(text: str, found: list[str]) -> float:
    total = 0.0
    if _UNFINISHED.search(text) or _CONDITIONAL_FRAGMENT.match(text) or _INFINITIVE.match(text):
        total += NOT_QUOTABLE
    if not _AUXILIARY.search(text) and not _has_verb(found):
        total += 0.8
    content = sum(speciality(word.lower()) > 0 for word in found)
    special = sum(speciality(word.lower()) >= 1 for word in found)
    return total + (0.5 if content < 3 or special < 1 else 0.0)


def _has_verb(found: list[str]) -> bool:
    """True when a word after the first can be a verb: a listed form, or an ending of one."""
    lower = [word.lower() for word in found[1:]]
    return any(word in verb_forms() for word in lower) or any(
        word.endswith(("ed", "es", "ates", "ises", "izes")) and word not in function_words() for word in lower
    )
