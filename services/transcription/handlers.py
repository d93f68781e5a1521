"""Subscribers of the transcription service."""

from collections.abc import Sequence
from typing import Protocol

from faststream.rabbit import RabbitBroker, RabbitMessage

from services.transcription.domain.failures import GivesUp
from services.transcription.domain.plan import UnitCommand, unit_name
from shared.commands import FindSlides, ReadPages, TranscribeSpeech
from shared.events import SourceIngested, SourceTranscribed, UnitFinished
from shared.messaging.broker import subscribe
from shared.messaging.publish import Publish, message_id
from shared.messaging.topology import PAGES, SLIDES, SOURCES, SPEECH
from shared.messaging.verdict import gives_up

PAGE_RANGES = 4  # more than an owner has jobs under way by default: nobody can hold all of them


class Units(Protocol):
    """The use cases of the service; `services.transcription.domain.units` has the real ones."""

    async def plan(self, event: SourceIngested) -> None:
        """Remember what is to be joined."""
        ...

    async def transcribe(self, command: TranscribeSpeech, gives_up: GivesUp) -> UnitFinished:
        """Do one unit of speech."""
        ...

    async def find_slides(self, command: FindSlides, gives_up: GivesUp) -> UnitFinished:
        """Do one unit of slides."""
        ...

    async def read_pages(self, command: ReadPages) -> UnitFinished:
        """Do one unit of pages."""
        ...

    async def follow_up(
        self, message: UnitCommand | SourceIngested
    ) -> Sequence[UnitCommand] | Sequence[SourceTranscribed]:
        """What comes after `message`: units to do, or the whole document, or nothing yet."""
        ...


class Handlers:
    """Translates between messages and use cases."""

    def __init__(self, units: Units, publish: Publish, retry_delays_s: tuple[float, ...]) -> None:
        self._units = units
        self._publish = publish
        self._retry_delays_s = retry_delays_s

    def _gives_up(self, message: RabbitMessage) -> GivesUp:
        return gives_up(message.headers, self._retry_delays_s)

    async def on_source_ingested(self, event: SourceIngested) -> None:
        """Send the first units of a source to their queues. Safe to redeliver: units that are done are left out."""
        await self._units.plan(event)
        await self._follow_up(event)

    async def on_transcribe_speech(self, command: TranscribeSpeech, message: RabbitMessage) -> None:
        """Recognise one piece. Safe to redeliver: a finished unit is not computed again."""
        await self._finish(command, await self._units.transcribe(command, self._gives_up(message)))

    async def on_find_slides(self, command: FindSlides, message: RabbitMessage) -> None:
        """Find the slides of one span. Safe to redeliver: a finished unit is not computed again."""
        await self._finish(command, await self._units.find_slides(command, self._gives_up(message)))

    async def on_read_pages(self, command: ReadPages) -> None:
        """Read one range of pages. Safe to redeliver: a finished unit is not computed again."""
        await self._finish(command, await self._units.read_pages(command))

    async def _finish(self, command: UnitCommand, finished: UnitFinished) -> None:
        if finished.units > 1:  # of a single unit, the event of the whole stage says the same
            await self._publish(finished, message_id=message_id(finished, finished.unit))
        await self._follow_up(command)

    async def _follow_up(self, message: UnitCommand | SourceIngested) -> None:
        for following in await self._units.follow_up(message):
            parts = [] if isinstance(following, SourceTranscribed) else [unit_name(following)]
            await self._publish(following, message_id=message_id(following, *parts))


def register(broker: RabbitBroker, units: Units, publish: Publish, retry_delays_s: tuple[float, ...]) -> None:
    """Subscribe. `retry_delays_s` are those of the broker: they say which attempt is the last.

    One unit of speech and of slides at a time: each of them fills the processor; replicas add more. Several ranges of
    pages take turns, so that a long one lets a short one pass.
    """
    handlers = Handlers(units, publish, retry_delays_s)
    subscribe(broker, SOURCES, handlers.on_source_ingested, prefetch=4)
    subscribe(broker, SPEECH, handlers.on_transcribe_speech, prefetch=1)
    subscribe(broker, SLIDES, handlers.on_find_slides, prefetch=1)
    subscribe(broker, PAGES, handlers.on_read_pages, prefetch=PAGE_RANGES)
