"""The FastStream broker with the defaults that lose nothing, how handlers subscribe, and how it is drained."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import structlog
from faststream.rabbit import Channel, RabbitBroker, RabbitMessage, RabbitQueue
from opentelemetry.sdk.trace import TracerProvider

from shared.circuit import Circuits
from shared.messaging.connection import Broker
from shared.messaging.content import content_of
from shared.messaging.delivery import retry_middleware
from shared.messaging.topology import WorkQueue, rabbit_queue
from shared.messaging.tracing import tracing_middleware
from shared.messaging.verdict import Policy
from shared.settings import SharedSettings

log = structlog.get_logger()

Handler = Callable[..., Awaitable[None]]
Decoder = Callable[[RabbitMessage, Callable[[RabbitMessage], Awaitable[Any]]], Awaitable[Any]]


def create_broker(
    settings: SharedSettings, tracer_provider: TracerProvider, service: str, circuits: Circuits
) -> Broker:
    """A broker that is not connected yet. Publishing has a channel of its own, and so has each subscriber."""
    policy = Policy(settings.retry_delays_s, settings.dependency_patience_s)
    return Broker(
        settings.amqp_url.get_secret_value(),
        middlewares=[
            # Outermost first: the span of the message is open while its failure is settled.
            tracing_middleware(tracer_provider, settings.amqp_url.get_secret_value()),
            retry_middleware(policy, circuits),
        ],
        default_channel=Channel(on_return_raises=True),
        decoder=decode,
        graceful_timeout=settings.shutdown_s,
        reconnect_interval=1.0,  # five by default, and after a restart of the broker everybody waits for it
        logger=None,
        app_id=f"lectern-{service}",
    )


async def decode(message: RabbitMessage, _original: Callable[[RabbitMessage], Awaitable[Any]]) -> Any:
    """The JSON object of a message, whether it comes alone or as a CloudEvent."""
    return content_of(message.body, message.content_type).data


def subscribe(
    broker: RabbitBroker,
    queue: WorkQueue | RabbitQueue,
    handler: Handler,
    *,
    prefetch: int,
    title: str | None = None,
    decoder: Decoder | None = None,
) -> None:
    """Let `handler` take the messages of `queue`, at most `prefetch` at a time.

    Every subscriber has a channel of its own, so that an error of one does not close the others'.
    """
    declared = rabbit_queue(queue) if isinstance(queue, WorkQueue) else queue
    broker.subscriber(declared, channel=Channel(prefetch_count=prefetch), title=title, decoder=decoder)(handler)


async def drain(broker: Broker, timeout_s: float) -> None:
    """Stop gracefully: no new deliveries, then wait for running handlers, then hand back what is left.

    FastStream waits first and cancels afterwards, and what is delivered meanwhile comes back with a higher delivery
    count; so the consumers are cancelled here before it is told to stop.
    """
    broker.consuming = False
    with anyio.move_on_after(timeout_s):
        for _, queue, tag in broker.consumed():
            if queue is not None and tag is not None and not queue.channel.is_closed:
                await queue.cancel(tag)
    await broker.stop()
