"""Cleaning: a spoken sentence as it would be written down. Words are only taken away, never added or moved."""

import re

_HESITATION = re.compile(
    r",?\s*(?<!\w)(?:[Uu]+[mh]+|[Ee]rm?|[Hh]mm+|[Aa]hm?)(?!\w)(?:\s*(?:\.\.\.|…|,))?(?=\s|[.?!]|$)"
)
_PARENTHETIC = re.compile(
    r",\s*(?:you know|i mean|you see|like|right|okay|ok|yeah|sort of|kind of|if you like|if you will|so to speak"
    r"|as it were|let's say|in a sense|of course|obviously|really|well|again|say|as i said|i think|i guess|i suppose"
    r"|as you can see|remember)\s*,",
    re.IGNORECASE,
)
_TAG = re.compile(
    r",\s*(?:right|okay|ok|yeah|you know|you see|yes|isn't it|aren't they|doesn't it|don't they|so to speak|if you like"
    r"|obviously|and so on(?: and so forth)?|or something(?: like that)?|or whatever|as well)\s*[.?!]*$",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"(?<=\b(?:is|re|'s|be|we|it|to|an))\s+(?:sort|kind) of(?=\s)|\s+(?:just )?(?:basically|literally)(?=\s)",
    re.IGNORECASE,
)
_STUTTER = re.compile(
    r"\b(?!(?:had|that|very|bye|no|so|more|many|half|time|again)\b)([a-z']+)(?:,? \1\b)+", re.IGNORECASE
)

# What a speaker says before the sentence proper. The first group needs no comma after it, the second does.
_OPENINGS = re.compile(
    r"^(?:"
    r"(?:okay|ok|alright|all right|yeah|oh|you know|i mean|anyway|and|but|so(?! (?:far|many|much"
    r"|long|called|that|as)\b)"
    r"|so-called(?= a\b)|or)\b(?:\s*[,.!;:…-]+)?\s+"
    r"|(?:well|right|look|listen|good|great|fine|sure|see|again|now|then|also|plus|however|therefore"
    r"|thus|hence|consequently"
    r"|moreover|furthermore|in addition|in fact|of course|in other words|finally|first|second|third|fourth|secondly"
    r"|thirdly|firstly|lastly|first of all|as a result|on the other hand|on the one hand|for that reason|meanwhile"
    r"|similarly|likewise|instead|nevertheless|interestingly|importantly|clearly|obviously|essentially|in short"
    r"|by the way|as i said|as we said|as i said before|as you can see|as you know|as we know|remember|to be fair"
    r"|to be honest|in a way|in a sense|the point is|the thing is|in general|generally|actually|basically|fortunately"
    r"|unfortunately|conversely|in particular|crucially|notably|at the same time|in contrast|by contrast|this time"
    r"|here|i think|i guess|for instance|for example|today|next|what is more|more importantly"
    r"|to summarise|to summarize|to sum up|overall|all in all"
    r"|to recap|in summary|in conclusion|to conclude|once again|on top of that|after all|that said|no|yes)\s*[,:;]\s+"
    r"|then\s+(?=(?:the|an?|there|came|comes)\b)"
    r"|now\s+(?=(?:the|an?|we|if|when|what|there|in|let|suppose|every|each|for|on|at)\b)"
    r")",
    re.IGNORECASE,
)
_FRAMES = re.compile(
    r"^(?:"
    r"(?:please |just |always )?(?:remember|notice|note|recall|observe|keep in mind|bear in mind"
    r"|don't forget)(?: here)? that"
    r"|i (?:want|would like) you to (?:remember|notice|understand|know|see)(?: is)? that"
    r"|(?:the|one) (?:(?:really |most )?(?:important|key|main|crucial|first|second|interesting|big|other) )?"
    r"(?:thing|point|message|idea|takeaway|fact|answer)(?: here)?(?: to (?:remember|note|notice|understand|take away))?"
    r"(?: here)? is,? that"
    r"|it is (?:important|worth|useful) (?:to )?(?:not(?:e|ing)|remember(?:ing)?|understand(?:ing)?|know(?:ing)?) that"
    r"|it(?: turns| turned) out(?: that)?|(?:and )?what (?:this|that|it) means is(?: that)?|(?:this"
    r"|that|which|it) means that"
    r"|we (?:now )?(?:know|say|saw|have seen) that|(?:as )?you can see(?: here)? that|you (?:have"
    r"|need) to (?:know|remember) that"
    r"|we can say that|in other words"
    r"),?\s+",
    re.IGNORECASE,
)
_CLAUSE_START = re.compile(r"^(?!(?:is|are|was|were|has|have|can|will|of|to|and|or|then)\b)", re.IGNORECASE)
_MAX_OPENINGS = 5


def tidy(text: str) -> str:
    """`text` on one line with single spaces and no control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def without_fillers(text: str) -> str:
    """`text` without hesitations, fillers, tags and stutters of spoken English."""
    text = _HESITATION.sub("", text)
    text = _PARENTHETIC.sub("", text)
    text = _TAG.sub(".", text)
    text = _HEDGE.sub("", text)
    return _STUTTER.sub(r"\1", text).strip(" ,;")


def without_opening(text: str) -> str:
    """`text` without the connectives and frames that only tie it to the sentence before ("So", "Remember that")."""
    best = text
    for _ in range(_MAX_OPENINGS):
        rest = _FRAMES.sub("", _OPENINGS.sub("", text, count=1), count=1)
        if rest == text or len(rest.split()) < 3:
            break
        text = rest
        best = rest if _CLAUSE_START.match(rest) else best
    return best


def finished(text: str) -> str:
    """`text` with a capital at its start (unless the first word has capitals of its own, as mRNA) and a full stop."""
    text = text.strip(" ,;:-–—…")
    if not text:
        return ""
    first = text.split(maxsplit=1)[0]
    if first.islower() or (first[:1].islower() and not any(c.isupper() for c in first[1:])):
        text = text[0].upper() + text[1:]
    return text if text[-1] in '.!?。！？…"”’)»' else text + "."


def cleaned(text: str, *, spoken: bool) -> str:
    """An English sentence cleaned for reading on its own; empty when only fillers were in it."""
    if spoken:
        text = without_fillers(text)
    return finished(without_opening(text))
