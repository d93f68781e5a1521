"""How many lanes the units of a source get: a fixed number, or one for each consumer that a queue has."""

from aio_pika.exceptions import AMQPError
from faststream.rabbit import RabbitBroker

from shared.errors import BrokerError


class FixedLanes:
    """A LaneCount by a setting."""

    def __init__(self, lanes: int) -> None:
        self._lanes = lanes

    async def __call__(self, queue: str) -> int:  # noqa: ARG002 -- the port's signature
        """The same for every queue."""
        return self._lanes


class LanePerConsumer:
    """A LaneCount that asks the broker who listens to the queue now."""

    def __init__(self, broker: RabbitBroker) -> None:
        self._broker = broker

    async def __call__(self, queue: str) -> int:
        """The consumers of `queue`, at least 1. Raises BrokerError."""
        try:
            connection = await self._broker.connect()
            # A channel of its own: FastStream remembers declarations, and this answer must not be an old one.
            async with connection.channel() as channel:
                declared = await channel.declare_queue(queue, passive=True)
        except (AMQPError, OSError, TimeoutError, RuntimeError) as error:
            raise BrokerError(f"consumers of {queue} could not be counted: {error!r}") from error
        return max(1, declared.declaration_result.consumer_count or 0)
