"""What the broker says about queues: how much waits in them, who listens, and whether they take anything."""

import asyncio
from collections.abc import Sequence
from typing import Any

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractConnection
from aio_pika.channel import Channel
from aio_pika.exceptions import AMQPError, ChannelInvalidStateError, DeliveryError
from faststream.exceptions import IncorrectState
from faststream.rabbit import RabbitBroker
from pamqp.commands import Queue

from shared.errors import BrokerError
from shared.messaging.connection import Broker, connect
from shared.messaging.topology import CHECKS

LOOK_TIMEOUT_S = 3.0  # a connection that an alarm of the broker blocks answers nothing, not even a new channel
_NOT_CONFIRMED = (AMQPError, DeliveryError, IncorrectState, OSError, TimeoutError, RuntimeError)


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
    try:
        await _publish(await broker.connect())
    except _NOT_CONFIRMED as error:
        raise BrokerError(f"a publish was not confirmed: {error!r}") from error


async def check_by_new_connection(url: str) -> None:
    """The same with a connection of its own, closed afterwards. Raises BrokerError, within LOOK_TIMEOUT_S."""
    try:
        async with asyncio.timeout(LOOK_TIMEOUT_S), await connect(url) as connection:
            await _publish(connection)
    except _NOT_CONFIRMED as error:
        raise BrokerError(f"a publish was not confirmed: {error!r}") from error


async def check_consumers(broker: Broker) -> None:
    """Raise BrokerError unless every subscriber of a started broker consumes.

    A connection may come back without them.
    """
    for name, queue, tag in broker.consumed() if broker.consuming else ():
        if not await _consumes(queue, tag):
            raise BrokerError(f"{name} is not consumed")


async def _consumes(queue: Any, tag: str | None) -> bool:
    if queue is None or queue.channel.is_closed:
        return False
    try:
        channel = await queue.channel.get_underlay_channel()
    except ChannelInvalidStateError:  # it could not be opened again
        return False
    return tag in channel.consumers


async def _publish(connection: AbstractConnection) -> None:
    message = Message(b"", delivery_mode=DeliveryMode.PERSISTENT)
    async with _temporary_channel(connection) as channel:
        await channel.default_exchange.publish(message, CHECKS)


def _temporary_channel(connection: AbstractConnection) -> Channel:
    """A channel that is not opened again when its connection comes back: whoever waited for it has gone on."""
    return Channel(connection, on_return_raises=True)


async def _declared(broker: RabbitBroker, queue: str) -> Queue.DeclareOk:
    try:
        # A channel of its own: FastStream remembers declarations, and this answer must not be an old one.
        async with asyncio.timeout(LOOK_TIMEOUT_S), _temporary_channel(await broker.connect()) as channel:
            return (await channel.declare_queue(queue, passive=True)).declaration_result
    except (AMQPError, OSError, TimeoutError, RuntimeError) as error:
        raise BrokerError(f"{queue} could not be looked at: {error!r}") from error
