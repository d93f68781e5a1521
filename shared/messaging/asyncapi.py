"""The AsyncAPI document of every message, generated from the contracts by FastStream (GAT-10)."""

import json
from typing import Any

from faststream.rabbit import RabbitBroker, RabbitQueue
from faststream.specification import AsyncAPI, License

from shared import EVENTS_VERSION
from shared.commands import COMMANDS, Command
from shared.events import EVENTS, Event
from shared.messaging.topology import EVENTS_EXCHANGE

DESCRIPTION = """\
Lectern's services talk only through these messages. Events are facts on the topic exchange `lectern.events`; commands
are work for one queue. Other systems may publish `job.submitted.v1` and bind queues of their own to any event.

Bodies are JSON (`application/json`, or `application/cloudevents+json` with the body as `data`). Messages carry
CloudEvents 1.0 attributes in headers named `cloudEvents_*` and a W3C `traceparent`; both are optional for publishers.
Delivery is at least once: a message may come twice and events may overtake each other.

The version of this document is that of these contracts; that of Lectern itself is what `lectern --version` says.
"""


def _summary(message: type[Event] | type[Command]) -> str:
    return (message.__doc__ or "").strip().partition("\n\n")[0]


def asyncapi_document() -> dict[str, Any]:
    """AsyncAPI 3.0 as JSON values: a channel, an operation and a JSON Schema for each message."""
    broker = RabbitBroker("amqp://localhost:5672", logger=None, description="RabbitMQ 3.10 or later")
    for event in EVENTS:
        broker.publisher(
            exchange=EVENTS_EXCHANGE,
            routing_key=event.routing_key,
            persist=True,
            title=event.routing_key,
            description=_summary(event),
            schema=event,
        )
    for command in COMMANDS:
        broker.publisher(
            RabbitQueue(command.queue),
            persist=True,
            title=f"{command.queue}.v1",
            description=_summary(command),
            schema=command,
        )
    document = AsyncAPI(
        broker,
        title="Lectern events",
        version=EVENTS_VERSION,
        description=DESCRIPTION,
        schema_version="3.0.0",
        license=License(name="Apache-2.0"),
    )
    parsed: dict[str, Any] = json.loads(document.to_specification().to_json())
    # FastStream lists channels in the order of a set; sorted, the same contracts give the same bytes.
    parsed["channels"] = dict(sorted(parsed["channels"].items()))
    parsed["operations"] = dict(sorted(parsed["operations"].items()))
    parsed["components"] = {name: dict(sorted(part.items())) for name, part in parsed["components"].items()}
    return parsed
