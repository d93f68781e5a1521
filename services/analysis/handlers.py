"""Subscribers of the analysis service."""

from collections.abc import Awaitable, Callable

from faststream.rabbit import RabbitBroker

from shared.events import SourceAnalysed, SourceTranscribed
from shared.messaging.broker import subscribe
from shared.messaging.publish import Publish, message_id
from shared.messaging.topology import DOCUMENTS

PREFETCH = 2  # one in the engine, one whose files are being fetched or stored


def register(
    broker: RabbitBroker, make_guide: Callable[[SourceTranscribed], Awaitable[SourceAnalysed]], publish: Publish
) -> None:
    """Subscribe."""

    async def on_source_transcribed(event: SourceTranscribed) -> None:
        """Make the study guide of a document. Safe to redeliver: a guide is made once."""
        analysed = await make_guide(event)
        await publish(analysed, message_id=message_id(analysed))

    subscribe(broker, DOCUMENTS, on_source_transcribed, prefetch=PREFETCH)
