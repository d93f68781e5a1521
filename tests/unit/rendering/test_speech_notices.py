"""Which sentences tell of speech that there was: each that is written anywhere was thought about (SPE-4)."""

import ast
import inspect
from types import ModuleType

import pytest

from services.ingest.adapters import preparation
from services.ingest.domain import sentences
from services.transcription.domain import assembly, failures, notices
from services.transcription.slides import scan
from shared import speech_notices
from shared.speech_notices import is_about_speech

OF_SPEECH = {
    speech_notices.UNREADABLE_SOUND,
    speech_notices.DOUBTFUL,
    speech_notices.PARTLY_DOUBTFUL,
    speech_notices.NOTHING_UNDERSTOOD,
    speech_notices.NOT_UNDERSTOOD,
    speech_notices.REPETITION,
    speech_notices.PIECE,
    speech_notices.UNHEARD_TRACKS,
    speech_notices.OTHER_TRACKS,
}
OF_OTHER_THINGS = {
    speech_notices.NO_SPEECH,
    speech_notices.NO_SPEECH_HEARD,
    speech_notices.SOUND_ENDS,
    "Where nobody seems to speak, no words are given: {}.",
    notices.NO_TEXT,
    notices.NO_SLIDES,
    "Slides were found for only {} of this video; what else it shows is not in the handout.",
    failures.MORE_PAGES,
    "Finding the slides {}",
    "The slides {}",
    "Page {}",
    # Parts of the error of a source of which nothing could be read.
    " More could not be read.",
    " Save the file anew in a simpler form and upload that.",
    scan.TOO_MANY,
    scan.PARTLY_UNREADABLE,
    scan.NO_PICTURES,
    scan.REDUCED,
}
WRITERS = (speech_notices, notices, failures, assembly, scan, preparation)


def sentences_in(module: ModuleType) -> set[str]:
    """Every text in the code of a module that begins as a sentence does; `{}` for what is put into it."""
    tree = ast.parse(inspect.getsource(module))
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    found = set()
    for node in ast.walk(tree):
        if id(node) in documentation or id(node) in parts:
            continue
        if isinstance(node, ast.JoinedStr):
            found.add("".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return {text for text in found if text.strip()[:1].isupper() and " " in text.strip()}


@pytest.mark.parametrize("module", WRITERS, ids=lambda module: module.__name__)
def test_every_sentence_is_known_to_tell_of_speech_or_not_to(module: ModuleType) -> None:
    unknown = sentences_in(module) - OF_SPEECH - OF_OTHER_THINGS
    assert not unknown, "say in this test, and in shared/speech_notices.py, whether these tell of speech that there was"


def test_those_of_speech_are_known_again_with_whatever_stands_in_them() -> None:
    for text in OF_SPEECH:
        assert is_about_speech(text.format(times="0:05", start="0:01", end="0:02", count=2, tracks="another track")), (
            text
        )
    for text in OF_OTHER_THINGS:
        assert not is_about_speech(text), text


def test_no_warning_of_ingest_is_taken_for_one_of_speech() -> None:
    texts = [text for name, text in vars(sentences).items() if name.isupper() and isinstance(text, str)]
    texts += [sentences.ends_early(5, 9), sentences.unreadable_pages([1]), str(sentences.sound_ends(90, 900))]
    left_to_others = {speech_notices.UNHEARD_TRACKS, speech_notices.OTHER_TRACKS}
    assert not [text for text in texts if is_about_speech(text) and text not in left_to_others]


def test_tracks_that_were_not_heard_may_hold_speech() -> None:
    assert is_about_speech(sentences.unheard_tracks(3))
    assert is_about_speech(sentences.other_tracks(2))
