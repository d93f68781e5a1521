"""Settings, and queues of the tests of a module with nothing in them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aio_pika
import pytest_asyncio
from aio_pika.exceptions import ChannelNotFoundEntity
from pydantic import SecretStr

from deploy.local.rabbitmq import RabbitNode
from shared.settings import SharedSettings
from tests.integration.shared.conftest import QUEUES, RETRY_DELAYS_S, TIERS, clear


@pytest_asyncio.fixture(scope="module")
async def topology_of_module(rabbitmq: RabbitNode) -> AsyncIterator[str]:
    """The broker's URL. To declare all its quorum queues anew takes a second, more than most of the tests."""
    await clear(rabbitmq.url)
    yield rabbitmq.url
    await clear(rabbitmq.url)


async def _empty(url: str) -> None:
    async with await aio_pika.connect(url) as connection:

        async def purge(name: str) -> None:
            with contextlib.suppress(ChannelNotFoundEntity):  # nobody has declared it yet
                await (await (await connection.channel()).get_queue(name, ensure=False)).purge()

        for names in (TIERS, QUEUES):  # in this order: what a tier lets go meanwhile is found in its queue
            await asyncio.gather(*(purge(name) for name in names))


@pytest_asyncio.fixture
async def settings(topology_of_module: str, mongo_url: str, database_name: str, tmp_path: Path) -> SharedSettings:
    """Of a system of this test alone: other tests of the module have left its queues there, and nothing in them."""
    await _empty(topology_of_module)
    return SharedSettings(
        home=tmp_path,
        amqp_url=SecretStr(topology_of_module),
        mongo_url=SecretStr(mongo_url),
        mongo_prefix=database_name,
        retry_delays_s=RETRY_DELAYS_S,
        shutdown_s=5,
    )
