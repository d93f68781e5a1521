"""The port to a speech recogniser, and what it is asked and gives back."""

from pathlib import Path
from typing import Annotated, Literal, Protocol

from pydantic import Field

from shared.documents import Seconds, Value, Word


class SpeechOptions(Value):
    """How speech is recognised. The defaults need no network and fit two cores and 1 GB.

    `model_folder` is a folder with a CTranslate2 Whisper model; without one the English model that is installed with
    Lectern is used. `language` is a code such as `en`; without one a multilingual model finds it out.
    """

    model_folder: Path | None = None
    language: str | None = None
    cpu_threads: Annotated[int, Field(ge=1, le=64)] = 2
    batch_size: Annotated[int, Field(ge=1, le=64)] = 8
    beam_size: Annotated[int, Field(ge=1, le=10)] = 5


class DroppedSpeech(Value):
    """A span for which no words are given, and why.

    `silence`: text was made up where there is no voice; `repetition`: one phrase over and over, kept once;
    `unintelligible`: text that the recogniser itself does not believe; `missed`: somebody speaks, but no words were
    found.
    """

    start_s: Seconds
    end_s: Seconds
    reason: Literal["silence", "repetition", "unintelligible", "missed"]


class SpeechUnit(Value):
    """The words of one unit of a recording; all times count from the start of the whole recording.

    A unit without speech has no words.
    """

    language: str
    engine: str
    words: tuple[Word, ...] = ()
    dropped: tuple[DroppedSpeech, ...] = ()


class SpeechRecogniser(Protocol):
    """Turns sound into words. The same sound and hotwords give the same words on the same machine."""

    def recognise(self, audio: Path, start_s: float, hotwords: str | None = None) -> SpeechUnit:
        """The words in the file `audio`, which begins `start_s` seconds into the recording.

        `hotwords` are words that are likely to be said, as one text.
        Raises InvalidSourceError when the file holds no sound that can be decoded, EngineError when the engine fails.
        """
        ...
