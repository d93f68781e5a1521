"""Subscribers of the ingest service."""

from collections.abc import Awaitable, Callable

from faststream.rabbit import RabbitBroker

from shared.events import JobSubmitted, SourceIngested
from shared.messaging.broker import subscribe
from shared.messaging.publish import Publish, message_id
from shared.messaging.topology import SUBMISSIONS


def register(
    broker: RabbitBroker,
    ingest: Callable[[JobSubmitted], Awaitable[SourceIngested]],
    publish: Publish,
    preparations: int,
) -> None:
    """Subscribe. Beside the `preparations` under way, the files of one more source are fetched or stored."""

    async def on_job_submitted(event: JobSubmitted) -> None:
        """Take a source in. Safe to redeliver: it is taken in once."""
        ingested = await ingest(event)
        await publish(ingested, message_id=message_id(ingested))

    subscribe(broker, SUBMISSIONS, on_job_submitted, prefetch=preparations + 1)
