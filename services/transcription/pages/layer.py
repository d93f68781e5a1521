"""Whether a page's text layer says what the page shows, judged by its characters and words alone.

A layer can be wrong in several ways: its fonts map glyphs to nothing, or to the wrong letters, which gives fluent
rubbish. What looks doubtful here is compared with the picture of a line before it is given up.
"""

import functools
import re
from collections import Counter
from collections.abc import Iterable
from enum import Enum
from pathlib import Path

from services.transcription.pages.characters import HOLE, is_garbage
from services.transcription.pages.lines import Line, TextPage

_FREQUENT_WORDS = Path(__file__).with_name("frequent_words.txt")
_WORD = re.compile(r"[^\W\d_]{2,}")
_HOLED_WORD = re.compile(rf"[^\W\d_]{HOLE}|{HOLE}[^\W\d_]")
_SCRIPTS = {
    "latin": r"A-Za-z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff\ufb00-\ufb06",
    "greek": r"\u0370-\u03ff\u1f00-\u1fff",
    "cyrillic": r"\u0400-\u052f",
    "hebrew": r"\u0590-\u05ff\ufb1d-\ufb4f",
    "arabic": r"\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefe",
    "east asian": r"\u1100-\u11ff\u2e80-\u2fdf\u3040-\u31ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef",
}
_OF_SCRIPT = {name: re.compile(f"[{letters}]") for name, letters in _SCRIPTS.items()}
_SPACED_SCRIPTS = frozenset({"latin", "greek", "cyrillic", "hebrew", "arabic"})
_LEAST_WORDS = 8  # fewer say nothing about a layer
_FEW_WORDS = 25
_FREQUENT_SHARE = 0.12  # running text has 0.2 (Turkish, Hungarian) to 0.5; lists of names and tables have less
_LONE_LETTERS = 0.45  # of the words of a page; running text has at most 0.1, formulas up to 0.4
_LONE_FOREIGN = 0.2  # in Cyrillic, Greek, Hebrew and Arabic, where a picture cannot be asked: torn apart
_OTHER_SCRIPTS = 3  # a page of one language and its formulas has letters of one or two


class Judgement(Enum):
    """What is to be done with a text layer."""

    GOOD = "take it"
    HOLES = "some glyphs within words have no letter: fill them from the page's picture"
    DOUBTFUL = "compare a line with the page's picture"
    USELESS = "read the page's picture instead"


def judge(text: TextPage) -> Judgement:
    """What the characters and words of a page's text layer say about it. It takes no language for the only one."""
    if is_garbage(text.raw):
        return Judgement.USELESS
    scripts = _scripts(text.raw)
    words = _WORD.findall(text.raw)
    lone = _lone_letters(text.raw, scripts)
    if len(words) >= _LEAST_WORDS or lone > _LONE_LETTERS:
        if _is_salad(scripts, text.raw) or (lone > _LONE_FOREIGN and scripts["latin"] < 0.5 * scripts.total()):
            return Judgement.USELESS
        if _is_doubtful(text.raw, words, scripts):
            return Judgement.DOUBTFUL
    return Judgement.HOLES if has_holes(text) else Judgement.GOOD


def has_holes(text: TextPage) -> bool:
    """Whether glyphs within words have no letter."""
    return _HOLED_WORD.search(text.raw) is not None


def frequent_share(words: Iterable[str]) -> float:
    """The share of `words` that are among the most frequent of any language in Latin letters."""
    lower = [word.casefold() for word in words]
    return sum(word in _frequent_words() for word in lower) / max(1, len(lower))


def main_script(text: str) -> str:
    """The script of most letters of `text`: a key of `_SCRIPTS`, or `other`."""
    scripts = _scripts(text)
    return max(scripts, key=lambda name: scripts[name]) if scripts else "latin"


def lines_to_compare(text: TextPage, count: int) -> list[Line]:
    """The lines that best show whether the layer is right: long, level, and with fewest frequent words."""
    level = [line for line in text.lines if line.angle == 0 and len(_WORD.findall(line.text)) >= 2]
    level = level or [line for line in text.lines if line.angle == 0 and len(line.text) >= 3]
    long = sorted(level, key=lambda line: -sum(char.isalpha() for char in line.text))[: 4 * count]
    return sorted(long, key=lambda line: frequent_share(_WORD.findall(line.text)))[:count]


def main_language(text: str) -> str | None:
    """The language in Latin letters (as ISO 639-1) whose frequent words `text` has most of; None where few say so."""
    words = Counter(word.casefold() for word in _WORD.findall(text))
    found = {language: sum(words[word] for word in own) for language, own in _words_by_language().items()}
    best = max(found, key=lambda language: found[language])
    return best if found[best] >= max(_LEAST_WORDS, _FREQUENT_SHARE * words.total()) else None


@functools.cache
def _words_by_language() -> dict[str, frozenset[str]]:
    lines = _FREQUENT_WORDS.read_text(encoding="utf-8").splitlines()
    return {line.split()[0]: frozenset(line.split()[1:]) for line in lines if not line.startswith("#")}


@functools.cache
def _frequent_words() -> frozenset[str]:
    return frozenset().union(*_words_by_language().values())


def _scripts(text: str) -> Counter[str]:
    """Letters of each script."""
    found = Counter({name: len(pattern.findall(text)) for name, pattern in _OF_SCRIPT.items()})
    found["other"] = sum(char.isalpha() for char in text) - found.total() if not text.isascii() else 0
    return +found


def _is_salad(scripts: Counter[str], text: str) -> bool:
    """Whether letters of many scripts stand side by side, as where glyph numbers are taken for characters."""
    letters = max(1, scripts.total())
    mixed = [name for name, count in scripts.items() if count > 0.04 * letters]
    if len(mixed) >= _OTHER_SCRIPTS + 1:
        return True
    rare = sum(0x0180 <= ord(char) < 0x0300 or 0x0700 <= ord(char) < 0x0900 for char in text)
    return len(mixed) >= _OTHER_SCRIPTS and rare > 0.1 * letters


def _is_doubtful(raw: str, words: list[str], scripts: Counter[str]) -> bool:
    letters = max(1, scripts.total())
    if _lone_letters(raw, scripts) > _LONE_LETTERS or scripts["latin"] < 0.7 * letters:
        return True
    share = frequent_share(words)
    return share < _FREQUENT_SHARE if len(words) >= _FEW_WORDS else share == 0


def _lone_letters(raw: str, scripts: Counter[str]) -> float:
    """The share of words that are a single letter, where words are set apart by spaces."""
    if not scripts or max(scripts, key=lambda name: scripts[name]) not in _SPACED_SCRIPTS:
        return 0.0
    words = re.findall(r"[^\W\d_]+", raw)
    return sum(len(word) == 1 for word in words) / len(words) if len(words) >= _FEW_WORDS else 0.0
