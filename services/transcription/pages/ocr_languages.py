"""The languages that tesseract may know, and those that this machine has data of."""

import functools
import subprocess

from shared.errors import EngineError

# Languages by the names that tesseract's detection gives to scripts.
SCRIPT_LANGUAGES = {
    "Latin": frozenset(
        {"eng", "deu", "fra", "spa", "ita", "por", "nld", "pol", "ces", "swe", "dan", "nor", "fin", "tur"}
    ),
    "Fraktur": frozenset({"frk", "deu_latf"}),
    "Cyrillic": frozenset({"rus", "ukr", "bul", "srp", "bel", "mkd", "kaz"}),
    "Greek": frozenset({"ell", "grc"}),
    "Hebrew": frozenset({"heb", "yid"}),
    "Arabic": frozenset({"ara", "fas", "urd", "pus", "uig"}),
    "Han": frozenset({"chi_sim", "chi_tra", "jpn"}),
    "Japanese": frozenset({"jpn"}),
    "Hangul": frozenset({"kor"}),
    "Korean": frozenset({"kor"}),
    "Devanagari": frozenset({"hin", "mar", "nep", "san"}),
}
# Tesseract's codes of languages in Latin letters, by ISO 639-1; it has no data of its own for some.
LANGUAGE_CODES = {
    "en": "eng", "de": "deu", "nl": "nld", "fr": "fra", "es": "spa", "pt": "por", "it": "ita", "ca": "cat",
    "ro": "ron", "sv": "swe", "da": "dan", "no": "nor", "is": "isl", "fi": "fin", "et": "est", "hu": "hun",
    "pl": "pol", "cs": "ces", "sk": "slk", "sl": "slv", "hr": "hrv", "lt": "lit", "lv": "lav", "tr": "tur",
    "sq": "sqi", "vi": "vie", "id": "ind", "sw": "swa", "tl": "tgl", "eu": "eus", "ga": "gle", "cy": "cym",
    "af": "afr", "eo": "epo", "la": "lat",
}  # fmt: skip


@functools.cache
def installed_languages() -> frozenset[str]:
    """Codes of the languages that this machine's tesseract can read.

    Raises:
        EngineError: tesseract is not installed.
    """
    try:
        told = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(f"tesseract does not run: {error}") from error
    return frozenset(told.stdout.split("\n")[1:]) - {""}
