"""Publishing: confirmed, mandatory, persistent, with CloudEvents attributes in the headers."""

from datetime import UTC, datetime
from typing import Protocol

from aio_pika.exceptions import AMQPError, DeliveryError
from faststream.exceptions import IncorrectState
from faststream.rabbit import RabbitBroker

from shared.commands import Command
from shared.errors import BrokerError
from shared.events import Event, Message
from shared.messaging.topology import EVENTS_EXCHANGE, command_kind

PUBLISH_TIMEOUT_S = 10.0


class Publish(Protocol):
    """Send one event or command and return once the broker has it on disk."""

    async def __call__(self, message: Event | Command, *, message_id: str) -> None:
        """Publish `message`. Raises BrokerError when it was not confirmed."""
        ...


class Publisher:
    """A Publish through a FastStream broker. `service` is the CloudEvents source."""

    def __init__(self, broker: RabbitBroker, service: str) -> None:
        self._broker = broker
        self._source = f"/lectern/{service}"

    async def __call__(self, message: Event | Command, *, message_id: str) -> None:
        """Publish `message` under `message_id`, the same for every repetition of the same fact."""
        kind = message.routing_key if isinstance(message, Event) else command_kind(message.queue)
        now = datetime.now(UTC)
        try:
            await self._broker.publish(
                message.model_dump_json().encode(),  # before it is connected, FastStream could not encode a model
                content_type="application/json",
                exchange=EVENTS_EXCHANGE if isinstance(message, Event) else None,
                routing_key=message.routing_key if isinstance(message, Event) else message.queue,
                persist=True,
                mandatory=True,
                timeout=PUBLISH_TIMEOUT_S,
                message_id=message_id,
                correlation_id=message.job_id,
                message_type=kind,
                timestamp=now,
                headers={
                    "cloudEvents_specversion": "1.0",
                    "cloudEvents_id": message_id,
                    "cloudEvents_type": kind,
                    "cloudEvents_source": self._source,
                    "cloudEvents_subject": message.job_id,
                    "cloudEvents_time": now.isoformat(),
                },
            )
        except (AMQPError, DeliveryError, IncorrectState, OSError, TimeoutError, RuntimeError) as error:
            # aio-pika raises RuntimeError for a connection that is closed or was never opened.
            raise BrokerError(f"{kind} of {message.job_id} was not confirmed: {error!r}") from error


def message_id(message: Message, *parts: str | int) -> str:
    """An id that is the same whenever the same fact is published again."""
    again = [f"run-{message.run}"] if message.run > 1 else []
    return "/".join([message.job_id, type(message).__name__, message.parameters.digest(), *map(str, parts), *again])
