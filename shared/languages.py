"""Languages that a job may name: those that an engine here can do something with."""

import json
import re
from functools import cache
from pathlib import Path

# Documents in these are read, from their text or from their pictures where the data for that is installed.
READING_LANGUAGES = frozenset({
    "en", "de", "nl", "fr", "es", "pt", "it", "ca", "ro", "sv", "da", "no", "nb", "nn", "is", "fi", "et", "hu",
    "pl", "cs", "sk", "sl", "hr", "lt", "lv", "tr", "sq", "vi", "id", "sw", "tl", "eu", "ga", "cy", "af", "eo",
    "la", "ru", "uk", "bg", "sr", "be", "mk", "kk", "el", "he", "yi", "ar", "fa", "ur", "ps", "ug", "zh", "ja",
    "ko", "hi", "mr", "ne", "sa",
})  # fmt: skip
_ENGLISH_ONLY = frozenset({"en"})
# Whisper's English-only models have one token less than the smallest multilingual vocabulary.
_MULTILINGUAL_TOKENS = 51_865
_LANGUAGE_TOKEN = re.compile(r"<\|([a-z]{2,3})\|>")


@cache
def speech_languages(folder: Path | None) -> frozenset[str]:
    """The languages that the Whisper model in `folder` recognises, as ISO 639 codes; of the installed one without it.

    A folder whose vocabulary cannot be read is judged by its name: `.en` says English alone, and nothing is known of
    any other, which gives an empty set.
    """
    if folder is None or folder.name.endswith(".en"):
        return _ENGLISH_ONLY
    try:
        tokens = _vocabulary(folder)
    except (OSError, ValueError):
        return frozenset()
    if len(tokens) < _MULTILINGUAL_TOKENS:
        return _ENGLISH_ONLY
    return frozenset(match[1] for token in tokens if (match := _LANGUAGE_TOKEN.fullmatch(str(token))))


def _vocabulary(folder: Path) -> list[object]:
    """A model's tokens. CTranslate2 writes them as a JSON list or, in earlier versions, one a line."""
    path = folder / "vocabulary.json"
    if not path.exists():
        return list((folder / "vocabulary.txt").read_text(encoding="utf-8").splitlines())
    tokens = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(tokens, list):
        raise ValueError("the vocabulary is no list")
    return tokens


def fault_of(language: str, folder: Path | None, *, speech: bool | None = None) -> str | None:
    """Why no engine here has `language`, as a sentence that says what to do; None where one has it.

    `speech` says whether the source holds any: then the speech model must have the language, otherwise reading may.
    None: that is not known yet.
    """
    recognised = speech_languages(folder)
    if not recognised or language in recognised:
        return None
    if speech:
        return (
            f"Speech is recognised here in {listed(recognised)} alone, not in {language}. Send the recording without "
            "`language` if that was a mistake, or ask for a multilingual speech model to be installed."
        )
    if language in READING_LANGUAGES:
        return None
    return f"No engine here has this language. Send one of: {listed(recognised | READING_LANGUAGES)}."


def listed(languages: frozenset[str]) -> str:
    """The codes in alphabetical order."""
    return ", ".join(sorted(languages))
