"""Text as a reader sees it: ligatures opened, soft hyphens and control characters gone."""

import re
import unicodedata

HOLE = "\ufffd"  # a glyph that its font maps to no character
LINE_END_HYPHEN = "\u00ad"  # kept between the halves of a word that a line's end cut, until the join decides

_LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st"}
_INVISIBLE = dict.fromkeys([*range(9), *range(11, 32), *range(127, 160), 0xAD, 0xFEFF, 0x200B, 0x2060], None)
_SPACES = dict.fromkeys([9, 10, 0xA0, 0x2002, 0x2003, 0x2009, 0x200A, 0x202F, 0x3000], " ")
_TABLE = {**_LIGATURES, **_INVISIBLE, **_SPACES}
_RUNS = re.compile(" {2,}")
_PRIVATE_BULLETS = str.maketrans(dict.fromkeys("\uf0b7\uf0a7\uf076\uf0d8\uf0fc\uf02d\u25cf\u25aa", "•"))


def clean(text: str) -> str:
    """`text` on one line, without what only a typesetter needs. Symbol fonts' bullets become real ones."""
    text = text.translate(_TABLE).translate(_PRIVATE_BULLETS)
    return _RUNS.sub(" ", text).strip()


def is_garbage(text: str) -> bool:
    """Whether a page's text layer is useless: mostly characters that its fonts do not map to any letter."""
    marks = [char for char in text if not char.isspace()]
    if not marks:
        return False
    bad = sum(char == "\ufffd" or unicodedata.category(char) in {"Cc", "Co", "Cn", "Cs"} for char in marks)
    return bad > 0.3 * len(marks)
