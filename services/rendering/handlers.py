"""Subscribers of the rendering service."""

from collections.abc import Awaitable, Callable

from faststream.rabbit import RabbitBroker, RabbitMessage

from shared.errors import LecternError
from shared.events import HandoutRendered, SourceAnalysed
from shared.messaging.broker import subscribe
from shared.messaging.publish import Publish, message_id
from shared.messaging.topology import GUIDES
from shared.messaging.verdict import gives_up

PREFETCH = 2  # one in the engine, one whose files are being fetched or stored


def register(
    broker: RabbitBroker,
    render_handout: Callable[[SourceAnalysed, Callable[[LecternError], bool]], Awaitable[HandoutRendered]],
    publish: Publish,
    retry_delays_s: tuple[float, ...],
) -> None:
    """Subscribe. `retry_delays_s` are those of the broker: they say which attempt is the last."""

    async def on_source_analysed(event: SourceAnalysed, message: RabbitMessage) -> None:
        """Render the files of a handout. Safe to redeliver: each product is rendered once."""
        rendered = await render_handout(event, gives_up(message.headers, retry_delays_s))
        await publish(rendered, message_id=message_id(rendered))

    subscribe(broker, GUIDES, on_source_analysed, prefetch=PREFETCH)
