"""A language is refused where no engine has it, and only there."""

import json
from pathlib import Path

import pytest

from services.rendering.domain.labels import LABELS
from shared.languages import DOCUMENT_LANGUAGES, fault_of, fault_of_speech, speech_languages

CODES = ["<|en|>", "<|de|>", "<|haw|>", "<|transcribe|>", "<|0.00|>", "<|startoftranscript|>"]


def model(tmp_path: Path, tokens: int, name: str = "base", *, lines: bool = False) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    vocabulary = [*CODES, *(f"word{number}" for number in range(tokens - len(CODES)))]
    if lines:
        (folder / "vocabulary.txt").write_text("\n".join(vocabulary))
    else:
        (folder / "vocabulary.json").write_text(json.dumps(vocabulary))
    return folder


def test_the_languages_of_documents_are_those_that_have_labels() -> None:
    assert LABELS.keys() == DOCUMENT_LANGUAGES


@pytest.mark.parametrize("lines", [False, True])
def test_a_models_own_vocabulary_says_what_it_recognises(tmp_path: Path, *, lines: bool) -> None:
    assert speech_languages(model(tmp_path, 51_865, lines=lines)) == {"en", "de", "haw"}
    assert speech_languages(model(tmp_path, 51_864, "english", lines=lines)) == {"en"}
    assert speech_languages(model(tmp_path, 51_865, "tiny.en", lines=lines)) == {"en"}
    assert speech_languages(None) == {"en"}


@pytest.mark.parametrize("content", [None, "{", "{}", "7"])
def test_a_model_of_which_nothing_is_known_refuses_nothing(tmp_path: Path, content: str | None) -> None:
    folder = tmp_path / "custom"
    folder.mkdir()
    if content is not None:
        (folder / "vocabulary.json").write_text(content)
    assert speech_languages(folder) == set()
    assert fault_of("xx", folder) is None
    assert fault_of_speech("xx", folder) is None


def test_the_sentence_names_what_there_is() -> None:
    assert fault_of("xx", None) == "No engine here has this language. Send one of: de, en, es, fr."
    assert fault_of("de", None) is None  # of a document
    assert fault_of_speech("en", None) is None
    assert "not in de" in str(fault_of_speech("de", None))
