"""Definitions that take two sentences: what it is first, its name in the next; or the name first, "That is, ..."."""

import re
from dataclasses import replace

from services.analysis.offline.definitions import Definition, definition_in, is_term, plain_term
from services.analysis.offline.sentences import Sentence

_GENERAL = re.compile(r"^(?:when|whenever|if|as)\b", re.IGNORECASE)  # what happens each time, not what happened once
_PAST = re.compile(
    r"\b(?:was|were|had|did|became|began|took|found|made|came|went|said|gave|saw|got|led)\b"
    r"|\w{2,}ed(?= (?:the|an?|it|to)\b)"
)
_NAMED = re.compile(
    r"^(?:(?P<kind>(?:this|such an?|the) (?:whole |entire |kind of |type of )?(?:process(?: of \w+)?|effect|idea"
    r"|phenomenon|method|technique|rule|movement|principle|policy|system|quantity|difference|gap|state|condition"
    r"|behaviou?r|pattern|arrangement|mechanism|reaction|step|cycle|structure|event|relationship|tendency|practice|pathway|approach|strategy|property|phase|stage|condition|problem))"
    r"|this|that|these) (?:is|are|was|were) (?:what (?:we|is|people) |often |usually |also |then )?"
    r"(?:call(?:ed)?|known as|termed|referred to as) (?:an?\s|the\s)?(?P<t>[\w'’-]+(?: [\w'’-]+){0,3})\.$"
    r"|^(?:we|[a-z]+ists|[a-z]+ians|people) call (?:this|that|it)(?: \w+)?? (?:an?\s|the\s)?"
    r"(?P<u>[\w'’-]+(?: [\w'’-]+){0,3})\.$",
    re.IGNORECASE,
)
_THAT_IS = re.compile(r"^that is(?: to say)?, (?=(?:the|an?|any|all)\b)", re.IGNORECASE)
_MAX_NAMING_CHARS = 120
_SUBJECT = re.compile(r"^(?:an?|the)\s[\w'’-]+(?: [\w'’-]+){0,2}?(?= (?:is|are|refers|means)\b)", re.IGNORECASE)
_IT = re.compile(r"(?P<before>\b(?:where|which|when|how|that) )it\b")


def named_after(before: Sentence, sentence: Sentence) -> Definition | None:
    """The definition in two sentences: what it is, then "This is called X"; or X, then "That is, ..."."""
    return _this_is_called(before, sentence) or _that_is(before, sentence)


def _this_is_called(before: Sentence, sentence: Sentence) -> Definition | None:
    match = _NAMED.match(sentence.text) if len(sentence.text) < _MAX_NAMING_CHARS else None
    if not match or before.fault >= 0.6 or definition_in(before.text) or not 6 <= before.words <= 40:
        return None
    general = _GENERAL.match(before.text) is not None
    if not general and (not match["kind"] or _PAST.search(before.text)):
        return None
    term = plain_term(match["t"] or match["u"])
    return Definition(term, before.text, 2) if is_term(term) else None


def _that_is(before: Sentence, sentence: Sentence) -> Definition | None:
    """Speech recognition often hears the pause before "that is" as the end of a sentence."""
    if not _THAT_IS.match(sentence.raw) or before.words > 25:
        return None
    return definition_in(f"{before.raw.rstrip(' .')}, {sentence.raw[0].lower()}{sentence.raw[1:]}")


def with_subject(definition: Definition, before: Sentence) -> Definition | None:
    """`definition` with its "it" written out, where the sentence before defines what "it" is; else nothing."""
    subject = _SUBJECT.match(before.text) if definition_in(before.text) else None
    if not subject or not _IT.search(definition.text):
        return None
    named = subject.group()[0].lower() + subject.group()[1:]
    return replace(definition, text=_IT.sub(rf"\g<before>{named}", definition.text, count=1))
