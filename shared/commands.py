"""Every command that travels: work for one queue, whose owner is the only one to read it."""

from typing import Annotated, ClassVar

from pydantic import Field

from shared.events import Message, PageRange, SlideRange, SpeechPiece
from shared.storage.port import ObjectRef


class Command(Message):
    """Work for one queue, sent through the default exchange."""

    queue: ClassVar[str]


class TranscribeSpeech(Command):
    """Recognise the words of one piece."""

    queue: ClassVar[str] = "transcription.speech"

    piece: SpeechPiece
    units: Annotated[int, Field(ge=1)]


class FindSlides(Command):
    """Find the slides shown in one span of the video."""

    queue: ClassVar[str] = "transcription.slides"

    video: ObjectRef
    range: SlideRange
    units: Annotated[int, Field(ge=1)]


class ReadPages(Command):
    """Read the blocks of a range of pages."""

    queue: ClassVar[str] = "transcription.pages"

    document: ObjectRef
    range: PageRange
    units: Annotated[int, Field(ge=1)]


COMMANDS: tuple[type[Command], ...] = (TranscribeSpeech, FindSlides, ReadPages)
