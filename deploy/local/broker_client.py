"""What the supervisor asks of its private broker, through aio-pika."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aio_pika.abc import AbstractConnection
from aio_pika.connection import Connection, make_url
from aio_pika.exceptions import AMQPError, ChannelNotFoundEntity, QueueEmpty

LOGIN_TIMEOUT_S = 5.0
WORK_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 2.0
CHECKS = "lectern.health"  # the services declare it; see `shared.messaging.topology`

BROKEN = (AMQPError, OSError, RuntimeError, TimeoutError)


@asynccontextmanager
async def connected(url: str, *, timeout_s: float = LOGIN_TIMEOUT_S) -> AsyncIterator[AbstractConnection]:
    """A connection while the context lasts, closed also when it was never or only half opened, or is broken.

    `aio_pika.connect` leaves such a one to the garbage collector, which complains.
    """
    connection = Connection(make_url(url))
    try:
        await connection.connect(timeout=timeout_s)
        yield connection
    finally:
        for _ in range(2):  # the second time there is no transport left that could fail
            with contextlib.suppress(*BROKEN):
                await asyncio.wait_for(connection.close(), CLOSE_TIMEOUT_S)


async def answers(url: str) -> bool:
    """Whether the login works: handshake, authentication and virtual host."""
    try:
        async with connected(url):
            return True
    except (AMQPError, OSError, TimeoutError):
        return False


async def takes_work(url: str) -> bool:
    """Whether a quorum queue answers: after a full disk, their log may have stopped while all else goes on.

    It is asked for a message and given none, since a broker whose alarm holds up every publish still answers this.
    """
    try:
        async with asyncio.timeout(WORK_TIMEOUT_S), connected(url) as connection:
            queue = await (await connection.channel()).get_queue(CHECKS, ensure=False)
            await queue.get(no_ack=True)
    except (QueueEmpty, ChannelNotFoundEntity):  # not declared yet: there is no work that it could refuse
        return True
    except (AMQPError, OSError, TimeoutError):
        return False
    return True
