"""What is published is on the broker's disk and in a queue, or its publisher hears that it is not (PIP-1)."""

from typing import ClassVar

import pytest
from aio_pika.abc import DeliveryMode
from opentelemetry.sdk.trace import TracerProvider

from shared.circuit import Circuits
from shared.errors import BrokerError
from shared.events import Event
from shared.messaging.broker import create_broker
from shared.messaging.publish import Publisher
from shared.messaging.topology import SUBMISSIONS, declare_topology
from shared.settings import SharedSettings
from tests.integration.shared.consuming import EVENT, take


class NobodyListened(Event):
    """A fact that no queue is bound to."""

    routing_key: ClassVar[str] = "nobody.listened.v1"


async def test_a_message_survives_the_brokers_restart(settings: SharedSettings, amqp_url: str) -> None:
    broker = create_broker(settings, TracerProvider(), "test", Circuits({}))
    async with broker:
        await broker.connect()
        await declare_topology(broker, settings.retry_delays_s)
        await Publisher(broker, "test")(EVENT, message_id="1")
    assert (await take(amqp_url, SUBMISSIONS.name)).delivery_mode is DeliveryMode.PERSISTENT


async def test_an_event_that_no_queue_takes_is_an_error(settings: SharedSettings) -> None:
    broker = create_broker(settings, TracerProvider(), "test", Circuits({}))
    async with broker:
        await broker.connect()
        await declare_topology(broker, settings.retry_delays_s)
        with pytest.raises(BrokerError):
            await Publisher(broker, "test")(NobodyListened(job_id=EVENT.job_id), message_id="1")
