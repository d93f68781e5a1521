"""How many lanes the units of a source get: a fixed number, or one for each consumer that a queue has."""

from faststream.rabbit import RabbitBroker

from shared.messaging.queues import consumers


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
        return max(1, await consumers(self._broker, queue))
