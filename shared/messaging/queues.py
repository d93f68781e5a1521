"""What the broker says about queues: how much waits in them, who listens, and whether they take anything."""

import asyncio
from collections.abc import Sequence

import aio_pika
from aio_pika.exceptions import AMQPError, DeliveryError
from faststream.exceptions import IncorrectState
from faststream.rabbit import RabbitBroker
from pamqp.commands import Queue

from shared.errors import BrokerError
from shared.messaging.topology import CHECKS

LOOK_TIMEOUT_S = 3.0  # a connection that an alarm of the broker blocks answers nothing, not even a new channel


async def waiting_messages(broker: RabbitBroker, queues: Sequence[str]) -> int:
    """How many messages wait in `queues` and are in nobody's hands. Raises BrokerError."""
    return sum([(await _declared(broker, queue)).message_count or 0 for queue in queues])


async def consumers(broker: RabbitBroker, queue: str) -> int:
    """How many consumers `queue` has. Raises BrokerError."""
    return (await _declared(broker, queue)).consumer_count or 0


async def check_by_publishing(broker: RabbitBroker) -> None:
    """Publish to the queue of checks and return once that is confirmed. Raises BrokerError.

    Not with FastStream: it would make a span of each. Blocked by an alarm of the broker, it waits for the alarm's end.
    """
    message = aio_pika.Message(b"", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
    try:
        connection = await broker.connect()
        async with connection.channel(on_return_raises=True) as channel:
            await channel.default_exchange.publish(message, CHECKS)
    except (AMQPError, DeliveryError, IncorrectState, OSError, TimeoutError, RuntimeError) as error:
        raise BrokerError(f"a publish was not confirmed: {error!r}") from error


async def _declared(broker: RabbitBroker, queue: str) -> Queue.DeclareOk:
    try:
        # A channel of its own: FastStream remembers declarations, and this answer must not be an old one.
        async with asyncio.timeout(LOOK_TIMEOUT_S), (await broker.connect()).channel() as channel:
            return (await channel.declare_queue(queue, passive=True)).declaration_result
    except (AMQPError, OSError, TimeoutError, RuntimeError) as error:
        raise BrokerError(f"{queue} could not be looked at: {error!r}") from error
