"""A language is refused where no engine has it, and only there."""

import json
from pathlib import Path

import pytest

from services.rendering.domain.labels import LABELS
from services.transcription.pages.ocr_languages import LANGUAGE_CODES
from shared.languages import READING_LANGUAGES, fault_of, speech_languages

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


def test_every_language_that_pages_are_recognised_in_or_that_has_labels_may_be_named() -> None:
    assert LABELS.keys() | LANGUAGE_CODES.keys() <= READING_LANGUAGES
    assert all(len(code) == 2 for code in READING_LANGUAGES)


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
    assert fault_of("xx", folder, speech=True) is None


@pytest.mark.parametrize("speech", [None, False])
def test_the_sentence_names_what_there_is(*, speech: bool | None) -> None:
    told = fault_of("xx", None, speech=speech)
    assert str(told).startswith("No engine here has this language. Send one of: af, ar,")
    assert ", en, " in str(told)
    for code in ("en", "de", "it", "ru"):
        assert fault_of(code, None, speech=speech) is None


def test_what_reading_has_is_refused_for_speech_that_the_model_does_not_have() -> None:
    assert fault_of("en", None, speech=True) is None
    assert "not in de" in str(fault_of("de", None, speech=True))
    assert "not in xx" in str(fault_of("xx", None, speech=True))
