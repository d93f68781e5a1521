"""Subscribers of the rendering service."""

from collections.abc import Awaitable, Callable

from faststream.rabbit import RabbitBroker

from shared.events import HandoutRendered, SourceAnalysed
from shared.messaging.broker import subscribe
from shared.messaging.publish import Publish, message_id
from shared.messaging.topology import GUIDES

PREFETCH = 2  # one in the engine, one whose files are being fetched or stored


def register(
    broker: RabbitBroker, render_handout: Callable[[SourceAnalysed], Awaitable[HandoutRendered]], publish: Publish
) -> None:
    """Subscribe."""

    async def on_source_analysed(event: SourceAnalysed) -> None:
        """Render the files of a handout. Safe to redeliver: they are rendered once."""
        rendered = await render_handout(event)
        await publish(rendered, message_id=message_id(rendered))

    subscribe(broker, GUIDES, on_source_analysed, prefetch=PREFETCH)
