"""What the broker says about queues: how much waits in them and who listens."""

from collections.abc import Sequence

from aio_pika.exceptions import AMQPError
from faststream.rabbit import RabbitBroker
from pamqp.commands import Queue

from shared.errors import BrokerError


async def waiting_messages(broker: RabbitBroker, queues: Sequence[str]) -> int:
    """How many messages wait in `queues` and are in nobody's hands. Raises BrokerError."""
    return sum([(await _declared(broker, queue)).message_count or 0 for queue in queues])


async def consumers(broker: RabbitBroker, queue: str) -> int:
    """How many consumers `queue` has. Raises BrokerError."""
    return (await _declared(broker, queue)).consumer_count or 0


async def _declared(broker: RabbitBroker, queue: str) -> Queue.DeclareOk:
    try:
        connection = await broker.connect()
        # A channel of its own: FastStream remembers declarations, and this answer must not be an old one.
        async with connection.channel() as channel:
            return (await channel.declare_queue(queue, passive=True)).declaration_result
    except (AMQPError, OSError, TimeoutError, RuntimeError) as error:
        raise BrokerError(f"{queue} could not be looked at: {error!r}") from error
