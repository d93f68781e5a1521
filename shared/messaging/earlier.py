"""Queues that an earlier version declared. A queue's arguments never change: such a queue is used as it is."""

from collections.abc import Mapping

import structlog
from aio_pika.exceptions import ChannelPreconditionFailed
from faststream.rabbit import RabbitBroker, RabbitQueue
from faststream.rabbit.subscriber.usecase import RabbitSubscriber

from shared.errors import TopologyConflictError
from shared.messaging.topology import DELIVERY_LIMIT, WORK_QUEUES, WorkQueue, declare_topology, rabbit_queue

log = structlog.get_logger()

# The delivery limits of earlier versions, latest first: all in which their work queues differ.
EARLIER_DELIVERY_LIMITS = (5,)


async def declare_or_adopt(broker: RabbitBroker, retry_delays_s: tuple[float, ...]) -> dict[str, RabbitQueue]:
    """Declare the topology; the queues, by name, that stay as an earlier version declared them.

    Raises TopologyConflictError if something else has a name of ours.
    """
    try:
        await declare_topology(broker, retry_delays_s)
    except ChannelPreconditionFailed:
        adopted = {queue.name: found for queue in WORK_QUEUES if (found := await _earlier(broker, queue))}
        try:
            await declare_topology(broker, retry_delays_s, adopted)
        except ChannelPreconditionFailed as error:
            raise TopologyConflictError(f"{error}. See docs/operations.md, Upgrades.") from error
        log.warning("queues of an earlier version are used as they are", queues=sorted(adopted))
        return adopted
    return {}


async def _earlier(broker: RabbitBroker, queue: WorkQueue) -> RabbitQueue | None:
    """How an earlier version declared this queue; None if it is as today's, or as nobody's."""
    connection = await broker.connect()
    for limit in (DELIVERY_LIMIT, *EARLIER_DELIVERY_LIMITS):
        declaration = rabbit_queue(queue, limit)
        channel = await connection.channel()
        try:
            await channel.declare_queue(declaration.name, durable=True, arguments=declaration.arguments, robust=False)
        except ChannelPreconditionFailed:
            continue  # which has closed the channel
        await channel.close()
        return None if limit == DELIVERY_LIMIT else declaration
    return None


def consume_adopted(broker: RabbitBroker, adopted: Mapping[str, RabbitQueue]) -> None:
    """Let the subscribers declare the adopted queues as these are. Before the broker is started."""
    for subscriber in broker.subscribers:
        if isinstance(subscriber, RabbitSubscriber):
            subscriber.queue = adopted.get(subscriber.queue.name, subscriber.queue)
