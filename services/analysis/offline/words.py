"""Words: how text becomes normal tokens, and how special an English word is.

The lists in `words/` were written for this project by part of speech: closed classes (function words) in full, and
the open classes' everyday members. A word that is on none of them is taken as the field's own. That stands in for
frequency lists, whose licences do not allow shipping them here.
"""

import re
from functools import cache, lru_cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "words"
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
# A word of letters and digits with inner hyphens and apostrophes, or a run of kanji, of katakana or of hangul.
TOKEN = re.compile(
    r"[\u3400-\u4dbf\u4e00-\u9fff]{2,}|[\u30a0-\u30ff]{2,}|[\uac00-\ud7af]{2,}"
    rf"|(?:(?![{_CJK}])[^\W_])+(?:[-'’](?:(?![{_CJK}])[^\W_])+)*"
)
_MAX_TOKEN_CHARS = 40  # longer ones are addresses, keys and broken extractions


def _list(name: str) -> frozenset[str]:
    return frozenset((_FOLDER / f"{name}.txt").read_text(encoding="utf-8").split())


def _inflections(base: str) -> list[str]:
    """Regular forms of a verb: -s, -ed, -ing, with e-dropping, y to i, and consonant doubling."""
    if base.endswith("e"):
        return [base, base + "s", base + "d", base[:-1] + "ing"]
    if base.endswith("y") and base[-2] not in "aeiou":
        return [base, base[:-1] + "ies", base[:-1] + "ied", base + "ing"]
    sibilant = base.endswith(("s", "x", "z", "ch", "sh", "o"))
    forms = [base, base + ("es" if sibilant else "s"), base + "ed", base + "ing"]
    if re.search(r"[^aeiou][aeiou][bdglmnprt]$", base):
        forms += [base + base[-1] + "ed", base + base[-1] + "ing"]
    return forms


@cache
def function_words() -> frozenset[str]:
    """English words of the closed classes."""
    return _list("function")


@cache
def base_verbs() -> frozenset[str]:
    """Everyday English verbs in their base form."""
    return _list("verbs")


@cache
def verb_forms() -> frozenset[str]:
    """Everyday English verbs in all their forms."""
    return frozenset(form for base in _list("verbs") for form in _inflections(base)) | _list("irregular")


@cache
def adjectives() -> frozenset[str]:
    """Everyday English adjectives."""
    return _list("adjectives")


@cache
def general_nouns() -> frozenset[str]:
    """English nouns that any lecture uses."""
    return _list("nouns")


@cache
def _general() -> frozenset[str]:
    return verb_forms() | adjectives() | general_nouns()


def singular(word: str) -> str:
    """The singular of a lower-case English word, by its ending; the word itself where the ending says nothing."""
    if len(word) < 4 or word.endswith(("ss", "us", "is", "'s", "’s", "ous", "ics")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes", "zes")):
        return word[:-2]
    return word.removesuffix("s")


def is_adverb(word: str) -> bool:
    """True for words in -ly that are not nouns such as "family"."""
    return word.endswith("ly") and len(word) > 4 and word not in _LY_NOUNS


_LY_NOUNS = frozenset(
    {"family", "supply", "reply", "assembly", "anomaly", "monopoly", "ally", "italy", "july", "homily", "butterfly"}
)


@lru_cache(maxsize=50_000)
def speciality(word: str) -> float:
    """How much a lower-case English word is the field's own: 0 (function word, adverb, number) to 1."""
    if word in function_words() or word.isdigit() or len(word) < 2 or is_adverb(word):
        return 0.0
    if word in _general() or singular(word) in _general():
        return 0.35
    return 1.0


def words(text: str) -> list[str]:
    """The words of `text` as written, without punctuation."""
    return [word for word in TOKEN.findall(text) if len(word) <= _MAX_TOKEN_CHARS]


@lru_cache(maxsize=1 << 16)
def normal(word: str) -> str:
    """The key under which forms of one word meet: lower case and singular; acronyms keep their capitals."""
    if len(word) > 1 and word.isupper() and word.isascii():
        return word
    if len(word) > 2 and word[-1] == "s" and word[:-1].isupper() and word.isascii():
        return word[:-1]
    return singular(word.lower().replace("’", "'"))


def normals(text: str) -> list[str]:
    """The normal form of every word of `text`, in order."""
    return [normal(word) for word in words(text)]


def looks_english(text: str) -> bool:
    """True when function words are as frequent as in English (half of running text, a sixth in slides)."""
    found = [word.lower() for word in words(text[:60_000])]
    if len(found) < 30:
        return text.isascii()
    return sum(word in function_words() for word in found) / len(found) > 0.12
