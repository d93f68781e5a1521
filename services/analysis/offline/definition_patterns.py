"""The patterns of definitions in English lectures and textbooks: named groups `t` (the term) and `d` (what it is).

After Hearst's and Navigli's definition patterns. Each comes with its strength: 1 could be chance, 2 explains what
something is, 3 says itself that it gives a name or a meaning.
"""

import re

_T = r"(?P<t>[A-Za-z][\w'’/+-]*(?: (?:of (?:the |an? )?)?[\w'’/+-]+){0,4}?)"
_ALIAS = r"(?:,? (?:or|also called|also known as|sometimes called|often called) [^,]{2,40},| \([^)]{1,40}\))?"
_GENUS = (
    r"(?:process|ability|study|amount|number|set|rate|ratio|movement|total|percentage|sum|value|cost"
    r"|difference|branch|science"
    r"|practice|principle|idea that|tendency|degree|extent|change|increase|decrease|loss|release"
    r"|conversion|transfer|use of"
    r"|additional|extra|name (?:for|of|given)|term for|measure|property|quantity|price|point at"
    r"|point (?:where|on|in|from|of)|region|layer|part of|area|unit"
    r"|state|condition|situation|act|art|theory|law|system|finding that"
    r"|smallest|largest|fraction|proportion|drop in|rise in"
    r"|height|length|speed|force|step that"
    r"|probability|time (?:it|that)|distance|result of"
    r"|network|fluid|membrane|structure|molecule|enzyme|organelle|group|class|body|collection|period"
    r"|right to|theory that|claim that|view that|belief that|value of|share of)"
)
# A noun phrase inside a sentence begins after a word that can only come before one, never in its middle.
_NOUN_PHRASE = (
    r"(?:^(?:the |an? )?|\b(?:the|an?) |\b(?:is|are|was|were|be|called|by|of|from|to"
    r"|in|into|with|as|for|on|at|through|between|than|has|have|lies"
    r"|comes|uses?|needs?|call) )(?P<t>[\w'’-]+(?: [\w'’-]+){0,2})"
)

PATTERNS: tuple[tuple[re.Pattern[str], int], ...] = (
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
            rf"|just )?means? (?P<d>(?:the|an?|any) .+)",
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
            r"(?P<d>(?:an?|any|one of the|one (?:particular|extra|additional|single|special)) .+?"
            r" (?:that|which|who|whose|where|in which|of|for"
            r"|used|made|to"
            r"|with|between|from|by|when|containing|consisting) .+)",
            re.IGNORECASE,
        ),
        2,
    ),
    (
        re.compile(
            r"^(?P<d>(?:\S+ ){5,}?\S+?),? (?:which|and (?:this|that|it)|that) (?:process |effect |idea |phenomenon "
            r"|quantity |point )?(?:is"
            r"|are|was|were) (?:what is |often |usually |then )?"
            r"(?:called|known as|termed|referred to as) (?:an?\s|the\s)?(?P<t>[\w'’-]+(?: [\w'’-]+){0,3})[.,]?$",
            re.IGNORECASE,
        ),
        3,
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
        3,
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
    (
        re.compile(
            rf"{_NOUN_PHRASE}, which (?:is|are|was|were) (?:essentially |simply |just |really )?"
            rf"(?P<d>(?:the (?:\w+ ){{0,2}}?{_GENUS}\b|an? (?:[\w-]+ ){{1,3}}(?:of|that|which|who|whose|where|in which"
            r"|made|used|with|between)\b).+)",
            re.IGNORECASE,
        ),
        2,
    ),
    (
        re.compile(
            rf"{_NOUN_PHRASE},? that is(?: to say)?, (?P<d>(?:the|an?|any|all|[\w-]+s (?:that|which|who)) .+)",
            re.IGNORECASE,
        ),
        2,
    ),
    (
        re.compile(
            r"(?:^|\s)(?P<t>[\w'’-]+), that is(?: to say)?, (?P<d>(?:the|an?|any|all|[\w-]+s (?:that|which|who)) .+)",
            re.IGNORECASE,
        ),
        2,
    ),
)
