"""Connections to the broker that leave nothing behind: whatever ends an attempt to connect also closes it.

aio-pika leaves a connection that failed, or whose caller was told to stop, to the garbage collector, and one that
reconnects goes on trying until then.
"""

import asyncio
from types import TracebackType
from typing import Any

from aio_pika import RobustConnection
from aio_pika.abc import AbstractConnection
from aio_pika.connection import Connection, make_url
from faststream.rabbit import RabbitBroker
from faststream.rabbit.subscriber.usecase import RabbitSubscriber

from shared.errors import BrokerError
from shared.storage.to_its_end import to_its_end

CLOSE_S = 5.0


async def connect(url: str) -> AbstractConnection:
    """A connection that does not come back by itself. Raises AMQPError and OSError; close it."""
    connection = Connection(make_url(url))
    try:
        await connection.connect()
    except BaseException:
        await connection.close()
        raise
    return connection


class Broker(RabbitBroker):
    """FastStream's, with one connection however many ask for it at once, and none after `stop`.

    FastStream's own opens one for each of them, and closes only the last: not the one that its subscribers use. It
    also opens one for whoever asks after it was stopped, and aio-pika never ends an attempt whose connection is closed.
    """

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(url, **options)
        self._connecting = asyncio.Lock()
        self._opened: RobustConnection | None = None
        self._attempt: asyncio.Timeout | None = None
        self._stopped = False
        self.consuming = False  # whether every subscriber should be a consumer
        self._connection_kwargs["connection_class"] = self._open  # to close what an attempt leaves when it fails

    def _open(self, *args: Any, **options: Any) -> RobustConnection:
        self._opened = RobustConnection(*args, **options)
        return self._opened

    async def connect(self) -> RobustConnection:
        """The connection, opened at the first call.

        Raises AMQPError and OSError, and BrokerError where it would have to be opened when the broker is stopped.
        """
        async with self._connecting:
            self._refuse_when_stopped()
            try:
                async with asyncio.timeout(None) as self._attempt:  # `stop` sets the time
                    return await self._connect_or_close()
            except TimeoutError:
                self._refuse_when_stopped()
                raise
            finally:
                self._attempt = None

    def _refuse_when_stopped(self) -> None:
        if self._stopped and self._connection is None:
            raise BrokerError("the connection to the broker is stopped for good: this process opens no other") from None

    async def _connect_or_close(self) -> RobustConnection:
        try:
            return await super().connect()
        except BaseException:
            await self._close()
            raise

    async def start(self) -> None:
        """Connect, and consume with every subscriber. Raises what `connect` raises."""
        self._refuse_when_stopped()
        self.consuming = True
        await super().start()

    async def stop(
        self,
        exc_type: type[BaseException] | None = None,
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,
    ) -> None:
        """Stop the subscribers and close the connection, broken or not, for good; who waits for one waits no more."""
        self.consuming = False
        self._stopped = True
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.reschedule(0)  # in the past: now
        async with self._connecting:
            pass  # nobody connects any more
        try:
            await super().stop(exc_type, exc_val, exc_tb)
        finally:
            await self._close()

    def consumed(self) -> list[tuple[str, Any, str | None]]:
        """Of every subscriber: the name of its queue, aio-pika's queue and its consumer tag, None before it consumes.

        This reaches into FastStream's subscribers, which is why its minor version is pinned.
        """
        return [
            (subscriber.queue.name, getattr(subscriber, "_queue_obj", None), getattr(subscriber, "_consumer_tag", None))
            for subscriber in self.subscribers
            if isinstance(subscriber, RabbitSubscriber)
        ]

    async def _close(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            # A caller that is cancelled meanwhile would leave it half closed, for the garbage collector to find.
            await to_its_end(opened.close(), at_most_s=CLOSE_S)


__all__ = ["Broker", "connect"]
