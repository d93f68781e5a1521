"""A message that could not be sent is a BrokerError, whatever the broker's library calls it."""

import pytest
from faststream.rabbit import RabbitBroker

from shared.errors import BrokerError
from shared.events import JobDeleted
from shared.messaging.publish import Publisher


async def test_before_it_is_connected_nothing_is_published() -> None:
    publish = Publisher(RabbitBroker("amqp://127.0.0.1:1/", logger=None), "test")
    with pytest.raises(BrokerError):
        await publish(JobDeleted(job_id="job-00001"), message_id="1")
