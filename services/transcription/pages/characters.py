"""Text as a reader sees it: ligatures opened, soft hyphens gone, and a mark for each sign that nobody can tell."""

import re
import unicodedata

HOLE = "\ufffd"  # a glyph that its font maps to no character
LINE_END_HYPHEN = "\u00ad"  # kept between the halves of a word that a line's end cut, until the join decides

_LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st"}
_INVISIBLE = dict.fromkeys([*range(9), *range(11, 32), *range(127, 160), 0xAD, 0xFEFF, 0x200B, 0x2060], None)
_SPACES = dict.fromkeys([9, 10, 0xA0, 0x2002, 0x2003, 0x2009, 0x200A, 0x202F, 0x3000], " ")
_TABLE = {**_LIGATURES, **_INVISIBLE, **_SPACES}
_RUNS = re.compile(" {2,}")
_PRIVATE_BULLETS = str.maketrans(
    dict.fromkeys("\uf0b7\uf0a7\uf076\uf0d8\uf0fc\uf02d\uf06c\uf06e\uf071\u25cf\u25aa", "•")
)
_PRIVATE_AT_START = re.compile(r"^[\ue000-\uf8ff](?=\s)")
# Fonts without a map give numbers of glyphs as characters: a control character is a sign on the page. Before a word at
# the beginning of a line it is a bullet; before a number it may be "at most".
_CONTROL = re.compile("[\x01-\x08\x0e-\x1f\x7f-\x9f]")
_CONTROL_AT_START = re.compile(rf"^\s*{_CONTROL.pattern}(?=\s+[^\W\d_])")
_PRIVATE = re.compile("[\ue000-\uf8ff]")  # signs of symbol fonts, whose meaning only the font knows
# TeX sets an accent as a glyph of its own before its letter, and a cedilla after it.
_ACCENTS = {"\xa8": "\u0308", "\xb4": "\u0301", "ˆ": "\u0302", "˜": "\u0303", "\xaf": "\u0304", "˘": "\u0306"}
_ACCENTS |= {"˙": "\u0307", "˚": "\u030a", "˝": "\u030b", "ˇ": "\u030c"}
_CEDILLA = re.compile("([cCsStT])\xb8")
_ACCENTED = re.compile(f"([{''.join(_ACCENTS)}])([A-Za-zı])")
_GRAVE = re.compile(r"(?<=[^\W\d_])`([aeiouAEIOU])(?=[^\W\d_]|\b)(?![^`]*`)")
_PRESENTED = re.compile("[\ufb1d-\ufdff\ufe70-\ufefc]")  # letters of Hebrew and Arabic by the shape they have in a word


def clean(text: str) -> str:
    """`text` on one line, without what only a typesetter needs. Symbol fonts' bullets become real ones."""
    if _CONTROL.search(text):
        text = _CONTROL.sub(HOLE, _CONTROL_AT_START.sub("•", text))
    text = text.translate(_TABLE)
    if not text.isascii():
        text = _PRIVATE_AT_START.sub("•", text.translate(_PRIVATE_BULLETS))
        text = _PRIVATE.sub(HOLE, text)
        text = _PRESENTED.sub(lambda match: unicodedata.normalize("NFKC", match.group()), text)
        text = _CEDILLA.sub("\\1\u0327", text)
        text = unicodedata.normalize("NFC", _ACCENTED.sub(_composed, text))
    return _RUNS.sub(" ", _GRAVE.sub(_with_grave, text) if "`" in text else text).strip()


def _composed(match: re.Match[str]) -> str:
    """An accent and its letter as one character, where there is such a one."""
    letter = {"ı": "i"}.get(match.group(2), match.group(2))
    made = unicodedata.normalize("NFC", letter + _ACCENTS[match.group(1)])
    return made if len(made) == 1 else match.group()


def _with_grave(match: re.Match[str]) -> str:
    return unicodedata.normalize("NFC", match.group(1) + "\u0300")


def is_garbage(text: str) -> bool:
    """Whether a page's text layer is useless: mostly characters that its fonts do not map to any letter."""
    marks = [char for char in text if not char.isspace()]
    if not marks:
        return False
    bad = sum(char == "\ufffd" or unicodedata.category(char) in {"Cc", "Co", "Cn", "Cs"} for char in marks)
    return bad > 0.3 * len(marks)
