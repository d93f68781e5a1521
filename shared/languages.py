"""Languages that a job may name: those that an engine here can do something with."""

import json
import re
from functools import cache
from pathlib import Path

# A document's text is read in any language; these are the ones that the handout's own words are written in as well.
DOCUMENT_LANGUAGES = frozenset({"en", "de", "fr", "es"})
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


def fault_of(language: str, folder: Path | None) -> str | None:
    """Why no engine here has `language`, as a sentence that says what to do; None where one has it."""
    speech = speech_languages(folder)
    if not speech or language in speech | DOCUMENT_LANGUAGES:
        return None
    return f"No engine here has this language. Send one of: {listed(speech | DOCUMENT_LANGUAGES)}."


def fault_of_speech(language: str, folder: Path | None) -> str | None:
    """Why the speech model cannot recognise `language`, as `fault_of` says it."""
    speech = speech_languages(folder)
    if not speech or language in speech:
        return None
    return (
        f"Speech is recognised here in {listed(speech)} alone, not in {language}. Send the recording without "
        "`language` if that was a mistake, or ask for a multilingual speech model to be installed."
    )


def listed(languages: frozenset[str]) -> str:
    """The codes in alphabetical order."""
    return ", ".join(sorted(languages))
