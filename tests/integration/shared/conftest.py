"""Settings and a clean topology on the run's own broker and database."""

from collections.abc import AsyncIterator
from pathlib import Path

import aio_pika
import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.local.rabbitmq import RabbitNode
from shared.messaging import topology
from shared.settings import SharedSettings

RETRY_DELAYS_S = (0.1, 0.2)


TIERS = [topology.retry_name(tier_s) for delay_s in RETRY_DELAYS_S for tier_s in topology.tiers_s(delay_s)]
QUEUES = [name for queue in topology.WORK_QUEUES for name in (queue.name, queue.dead_letters)]
QUEUES.append(topology.BURIALS.name)


async def clear(url: str) -> None:
    """Delete everything that the topology declares."""
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        for name in (*QUEUES, *TIERS):
            await channel.queue_delete(name)
        for tier in TIERS:
            await channel.exchange_delete(tier)


@pytest_asyncio.fixture
async def settings(
    rabbitmq: RabbitNode, mongo_url: str, database_name: str, tmp_path: Path
) -> AsyncIterator[SharedSettings]:
    await clear(rabbitmq.url)
    yield SharedSettings(
        home=tmp_path,
        amqp_url=SecretStr(rabbitmq.url),
        mongo_url=SecretStr(mongo_url),
        mongo_prefix=database_name,
        retry_delays_s=RETRY_DELAYS_S,
        shutdown_s=5,
    )
    await clear(rabbitmq.url)


@pytest.fixture
def amqp_url(settings: SharedSettings) -> str:
    return settings.amqp_url.get_secret_value()
