"""Broker and database are ready when they take work: who answers and takes nothing fails the check (OPS-8)."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from opentelemetry.sdk.trace import TracerProvider
from pymongo import monitoring

from deploy.local.rabbitmq import RabbitNode
from shared import database as databases
from shared.circuit import Circuits
from shared.database import open_database
from shared.errors import BrokerError
from shared.events import JobSubmitted
from shared.health import Probe
from shared.messaging.broker import create_broker
from shared.messaging.connection import Broker
from shared.messaging.queues import (
    check_by_new_connection,
    check_by_publishing,
    check_consumers,
    consumers,
    waiting_messages,
)
from shared.messaging.topology import CHECKS, declare_topology
from shared.settings import SharedSettings
from tests.integration.shared.consuming import depth, running


@pytest_asyncio.fixture
async def broker(settings: SharedSettings) -> AsyncIterator[Broker]:
    made = create_broker(settings, TracerProvider(), "test", Circuits({}))
    await made.connect()
    await declare_topology(made, settings.retry_delays_s)
    yield made
    await made.stop()


async def test_a_probe_that_asks_while_the_service_still_connects_opens_no_second_connection(
    settings: SharedSettings,
) -> None:
    made = create_broker(settings, TracerProvider(), "test", Circuits({}))
    connections = await asyncio.gather(*(made.connect() for _ in range(3)))
    assert len({id(connection) for connection in connections}) == 1
    await made.stop()
    assert connections[0].is_closed


async def test_a_database_is_checked_by_a_write_and_a_read_that_leave_one_document(settings: SharedSettings) -> None:
    commands: list[str] = []

    class Listener(monitoring.CommandListener):
        def started(self, event: monitoring.CommandStartedEvent) -> None:
            commands.append(event.command_name)

        def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

        def failed(self, event: monitoring.CommandFailedEvent) -> None: ...

    monitoring.register(Listener())
    async with open_database(settings, "test") as database, open_database(settings, "test") as replica:
        await database.check()
        commands.clear()
        for _ in range(5):
            await asyncio.gather(database.check(), replica.check())
        assert {"update", "find"} <= set(commands)
        assert await database[databases.CHECKS].count_documents({}) == 2


async def test_the_documents_of_processes_that_are_gone_are_removed(
    settings: SharedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_database(settings, "test") as gone:
        await gone.check()
    monkeypatch.setattr(databases, "CHECKS_KEPT", -databases.CHECKS_KEPT)
    async with open_database(settings, "test") as database:
        await database.check()
        assert await database[databases.CHECKS].count_documents({}) == 1


async def test_checks_of_the_broker_do_not_add_up(broker: Broker, amqp_url: str) -> None:
    for _ in range(20):
        await check_by_publishing(broker)
    assert await depth(amqp_url, CHECKS) <= 1
    async with asyncio.timeout(30):
        while await depth(amqp_url, CHECKS):
            await asyncio.sleep(0.2)


async def test_a_broker_that_takes_no_message_is_not_ready_and_then_it_is(broker: Broker, rabbitmq: RabbitNode) -> None:
    """An alarm, as that of a full disk: everything is answered, and every publish waits."""
    probe = Probe(lambda: check_by_publishing(broker), every_s=0, silence=BrokerError)
    await probe.now()
    await asyncio.to_thread(rabbitmq.control, "set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        async with asyncio.timeout(30):
            with pytest.raises(BrokerError):  # noqa: PT012 -- the alarm comes with the broker's next look at itself
                while True:
                    await probe.now()
                    await asyncio.sleep(0.2)
        assert await depth(rabbitmq.url, CHECKS) >= 0  # it still answers who does not publish
        async with asyncio.timeout(20):  # and nothing on the connection that did, which nobody may wait for without end
            with pytest.raises(BrokerError, match="looked at"):
                await waiting_messages(broker, [CHECKS])
            with pytest.raises(BrokerError, match="looked at"):
                await consumers(broker, CHECKS)
    finally:
        await asyncio.to_thread(rabbitmq.control, "set_vm_memory_high_watermark", "absolute", "768MB")
    async with asyncio.timeout(30):
        while True:
            try:
                await probe.now()
            except BrokerError:
                continue
            return


async def test_a_consumer_that_did_not_come_back_is_told(settings: SharedSettings) -> None:
    async def ignore(event: JobSubmitted) -> None:
        pass

    async with running(settings, ignore) as broker:
        await check_consumers(broker)
        (subscriber,) = broker.subscribers
        await subscriber._queue_obj.channel.close()
        with pytest.raises(BrokerError, match="is not consumed"):
            await check_consumers(broker)
        await check_by_publishing(broker)  # which sees nothing of it


async def test_a_new_connection_publishes_where_the_broker_works(broker: Broker, settings: SharedSettings) -> None:
    url = settings.amqp_url.get_secret_value()
    await check_by_new_connection(url)
    with pytest.raises(BrokerError):
        await check_by_new_connection(url.replace("@", "-and-a-wrong-password@"))


async def test_a_queue_of_checks_that_is_gone_is_told(broker: Broker) -> None:
    async with await broker.connect() as connection, connection.channel() as channel:
        await channel.queue_delete(CHECKS)
        with pytest.raises(BrokerError):
            await check_by_publishing(broker)
