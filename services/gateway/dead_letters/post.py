"""The way to the broker, on connections of its own that last no longer than the work at hand."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Container
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import AMQPError, DeliveryError
from aiormq.exceptions import ChannelLockedResource

from services.gateway.dead_letters.letter import key_of
from shared.errors import BrokerError
from shared.messaging.publish import PUBLISH_TIMEOUT_S
from shared.messaging.topology import WorkQueue

Connect = Callable[[], Awaitable[AbstractConnection]]
TIDYING = "gateway.tidying"
_CONNECT_S = 10.0


class Send(Protocol):
    """Put a message into a work queue and return once the broker has it on disk."""

    async def __call__(self, queue: str, message: aio_pika.Message) -> None:
        """Raises BrokerError when it was not confirmed, or when there is no such queue."""
        ...


@dataclass(frozen=True)
class Pass:
    """What one reading of a dead-letter queue came to: the settled letters whose copies are gone, how many copies were
    looked at, and whether these were all.
    """

    removed: set[str] = field(default_factory=set)
    seen: int = 0
    whole: bool = False


class Sift(Protocol):
    """Read a dead-letter queue once, and take the copies of settled letters out of it."""

    async def __call__(self, queue: WorkQueue, settled: Container[str], *, most: int) -> Pass:
        """Look at no more than `most` copies. Raises BrokerError."""
        ...


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except (AMQPError, DeliveryError, OSError, TimeoutError, RuntimeError) as error:
        # aio-pika raises RuntimeError for a connection that is closed.
        raise BrokerError(f"dead letters: {error!r}") from error


class Post:
    """Sends letters back and sifts dead-letter queues. `connect` opens a plain connection."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    async def _opened(self) -> AbstractConnection:
        async with asyncio.timeout(_CONNECT_S):
            return await self._connect()

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[Send]:
        """A Send for as long as the context lasts. Raises BrokerError."""
        async with _translated(), await self._opened() as connection:
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)

            async def send(queue: str, message: aio_pika.Message) -> None:
                async with _translated():
                    await channel.default_exchange.publish(message, queue, mandatory=True, timeout=PUBLISH_TIMEOUT_S)

            yield send

    @asynccontextmanager
    async def sifting(self) -> AsyncIterator[Sift | None]:
        """A Sift for as long as the context lasts; None while another gateway has one. Raises BrokerError.

        The broker keeps the lock with the connection that holds the letters: both end together, however that ends.
        """
        async with _translated(), await self._opened() as connection:
            channel = await connection.channel(publisher_confirms=False)
            try:
                await channel.declare_queue(TIDYING, exclusive=True, auto_delete=True)
            except ChannelLockedResource:
                yield None
                return

            async def sift(queue: WorkQueue, settled: Container[str], *, most: int) -> Pass:
                async with _translated(), connection.channel(publisher_confirms=False) as reading:
                    return await _sift(reading, queue, settled, most)

            yield sift


async def _sift(channel: AbstractChannel, queue: WorkQueue, settled: Container[str], most: int) -> Pass:
    """Hold what is not settled until the end: a copy that is given back is the next one to come.

    Only its delivery tag stays here; the broker keeps the rest, and takes all of it back when the channel closes. A
    read is answered after the acknowledgements before it are written, so after the last one none is outstanding.
    """
    lying = await channel.get_queue(queue.dead_letters, ensure=False)
    removed: set[str] = set()
    seen = 0
    while (message := await lying.get(fail=False, timeout=PUBLISH_TIMEOUT_S)) is not None:
        seen += 1
        key = key_of(queue.name, message)
        if seen > most:
            return Pass(removed, seen, whole=False)
        if key in settled:
            await message.ack()
            removed.add(key)
    return Pass(removed, seen, whole=True)
