"""A database or broker whose disk was full answers for ever: it is told from one that works, and comes back whole."""

import asyncio
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import aio_pika
import pytest
from aio_pika.exceptions import AMQPError, DeliveryError
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from deploy.local import broker_client
from deploy.local.database import EmbeddedDatabase
from deploy.local.processes import terminate_all
from deploy.local.programs import start
from deploy.local.rabbitmq import RabbitNode
from shared.messaging.topology import CHECKS, checks_arguments
from tests.benchmarks.small_disk import NoSmallDiskError, fill, small_disk

pytestmark = pytest.mark.integration


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    try:
        with small_disk(tmp_path / "disk", size_mb=400) as folder:
            yield folder
    except NoSmallDiskError as reason:
        pytest.skip(str(reason))


async def test_a_database_that_only_answers_is_noticed_once_there_is_room_and_loses_nothing(disk: Path) -> None:
    database = EmbeddedDatabase(disk / "database", authenticated=False)
    child = await start(database)
    written = 0
    async with AsyncMongoClient(database.url, socketTimeoutMS=10_000) as client:
        with contextlib.suppress(PyMongoError):
            for number in range(2000):
                await client.kept.things.insert_one({"_id": number, "body": os.urandom(50_000)})
                written = number + 1
                if number >= 60:
                    fill(disk / "ballast")
    assert not database.has_room()  # a restart would not help
    (disk / "ballast").unlink()
    assert database.has_room()
    assert not await database.is_live()
    await terminate_all([child], timeout_s=3)
    child = await start(database)
    assert await database.is_live()
    async with AsyncMongoClient(database.url) as client:
        assert await client.kept.things.count_documents({}) >= written > 60
    await asyncio.wait_for(terminate_all([child], timeout_s=5), 20)


async def put(url: str, *, count: int, size_bytes: int = 20_000) -> int:
    """Publish up to `count` messages of that size to a queue; how many the broker confirmed before one was not."""
    confirmed = 0
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.declare_queue("kept", durable=True, arguments={"x-queue-type": "quorum"})
        await channel.declare_queue(CHECKS, durable=True, arguments=checks_arguments())
        with contextlib.suppress(AMQPError, DeliveryError, TimeoutError):
            for _ in range(count):
                message = aio_pika.Message(os.urandom(size_bytes), delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
                await channel.default_exchange.publish(message, "kept", timeout=3)
                confirmed += 1
    return confirmed


async def count_kept(url: str) -> int:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("kept", durable=True, arguments={"x-queue-type": "quorum"})
        return queue.declaration_result.message_count or 0


async def test_a_broker_on_a_full_disk_takes_messages_until_its_log_is_full_and_loses_none(disk: Path) -> None:
    node = RabbitNode(disk / "rabbitmq", log=disk.parent / "rabbitmq.log")
    child = await start(node)
    assert await node.is_live()  # before anybody declared a queue
    assert await put(node.url, count=20) == 20
    assert await node.is_live()
    # A disk that fills between two looks of the broker at it: an alarm would hold up the publish that ends the log.
    await asyncio.to_thread(node.control, "set_disk_free_limit", "0")
    fill(disk / "ballast")
    assert await put(node.url, count=50) == 50
    assert await node.is_live()
    confirmed = await put(node.url, count=60, size_bytes=1 << 20)
    assert confirmed < 60
    assert not node.has_room()  # a restart would not help
    (disk / "ballast").unlink()
    assert node.has_room()
    assert not await node.is_live()
    assert await node.is_ready()  # all that a login shows
    await terminate_all([child], timeout_s=3)
    child = await start(node)
    await came_back(node)
    assert await count_kept(node.url) >= 70 + confirmed
    assert await put(node.url, count=5) == 5
    await asyncio.wait_for(terminate_all([child], timeout_s=5), 20)


async def came_back(node: RabbitNode) -> None:
    """Its queues elect their leaders within seconds of its start."""
    async with asyncio.timeout(20):
        while not await node.is_live():
            await asyncio.sleep(0.2)


async def test_a_broker_that_takes_no_message_because_of_an_alarm_is_left_alone(rabbitmq: RabbitNode) -> None:
    await put(rabbitmq.url, count=1)
    await asyncio.to_thread(rabbitmq.control, "set_disk_free_limit", "900GB")
    try:
        async with asyncio.timeout(30):
            while await put(rabbitmq.url, count=1):
                await asyncio.sleep(0.2)
        assert await rabbitmq.is_live()
    finally:
        await asyncio.to_thread(rabbitmq.control, "set_disk_free_limit", "100MB")
    async with asyncio.timeout(30):
        while not await put(rabbitmq.url, count=1):
            await asyncio.sleep(0.2)


def test_the_queue_asked_for_is_the_one_that_services_declare() -> None:
    assert broker_client.CHECKS == CHECKS
