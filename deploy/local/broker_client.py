"""What the supervisor asks of its private broker, through aio-pika."""

import asyncio

import aio_pika
from aio_pika.exceptions import AMQPError, ChannelNotFoundEntity, QueueEmpty

LOGIN_TIMEOUT_S = 5.0
WORK_TIMEOUT_S = 8.0
CHECKS = "lectern.health"  # the services declare it; see `shared.messaging.topology`


async def answers(url: str) -> bool:
    """Whether the login works: handshake, authentication and virtual host."""
    try:
        connection = await aio_pika.connect(url, timeout=LOGIN_TIMEOUT_S)
    except (AMQPError, OSError, TimeoutError):
        return False
    await connection.close()
    return True


async def takes_work(url: str) -> bool:
    """Whether a quorum queue answers: after a full disk, their log may have stopped while all else goes on.

    It is asked for a message and given none, since a broker whose alarm holds up every publish still answers this.
    """
    try:
        async with asyncio.timeout(WORK_TIMEOUT_S), await aio_pika.connect(url) as connection:
            queue = await (await connection.channel()).get_queue(CHECKS, ensure=False)
            await queue.get(no_ack=True)
    except (QueueEmpty, ChannelNotFoundEntity):  # not declared yet: there is no work that it could refuse
        return True
    except (AMQPError, OSError, TimeoutError):
        return False
    return True
