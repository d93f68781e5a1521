"""Listens to every event of the run, so that they can be sent again; also sends whatever else is sent from outside."""

import asyncio
import contextlib
import json
import random
from dataclasses import dataclass, replace
from typing import Any

import aio_pika
from aio_pika.abc import AbstractIncomingMessage, AbstractRobustChannel, AbstractRobustConnection
from aio_pika.exceptions import AMQPError

from services.transcription.domain.plan import commands, unit_name
from shared.events import SourceIngested
from shared.messaging.publish import message_id
from shared.messaging.topology import EVENTS_EXCHANGE, WORK_QUEUES

TAP_QUEUE = "chaos.tap"
SEND_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Letter:
    """A message as it can be sent: to an exchange, or with none, to the queue that `routing_key` names."""

    exchange: str
    routing_key: str
    body: bytes
    headers: dict[str, Any]
    content_type: str | None = "application/json"
    content_encoding: str | None = None
    message_id: str | None = None
    type: str | None = None


class Tap:
    """A connection of the run's own, not through the proxy. Everything it hears is kept once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: AbstractRobustConnection | None = None
        self._channel: AbstractRobustChannel | None = None
        self._known: set[int] = set()
        self.heard: list[Letter] = []
        self.sent = 0

    async def open(self) -> None:
        """Declare the queue and listen."""
        self._connection = await aio_pika.connect_robust(self._url, reconnect_interval=0.5)
        listening = await self._connection.channel()
        self._channel = await self._connection.channel()
        queue = await listening.declare_queue(TAP_QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        await queue.bind(EVENTS_EXCHANGE.name, "#")
        await queue.consume(self._hear)

    async def close(self) -> None:
        """Hang up; the queue goes with the broker."""
        if self._connection is not None:
            with contextlib.suppress(AMQPError, OSError, RuntimeError):
                await asyncio.wait_for(self._connection.close(), 5)

    async def _hear(self, message: AbstractIncomingMessage) -> None:
        letter = Letter(
            EVENTS_EXCHANGE.name,
            message.routing_key or "",
            message.body,
            dict(message.headers),
            message.content_type,
            message.content_encoding,
            message.message_id,
            message.type,
        )
        identity = hash((letter.routing_key, letter.message_id, letter.body))
        if identity not in self._known and not str(letter.message_id).startswith("hostile"):
            self._known.add(identity)
            self.heard.append(letter)
        with contextlib.suppress(AMQPError, OSError, RuntimeError):
            await message.ack()

    async def send(self, letter: Letter) -> bool:
        """Publish, confirmed; whether the broker took it within SEND_TIMEOUT_S."""
        message = aio_pika.Message(
            letter.body,
            headers=letter.headers,
            content_type=letter.content_type,
            content_encoding=letter.content_encoding,
            message_id=letter.message_id,
            type=letter.type,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        loop = asyncio.get_running_loop()
        deadline = loop.time() + SEND_TIMEOUT_S
        while loop.time() < deadline:
            try:
                assert self._channel is not None
                exchange = (
                    await self._channel.get_exchange(letter.exchange, ensure=False)
                    if letter.exchange
                    else self._channel.default_exchange
                )
                await asyncio.wait_for(exchange.publish(message, letter.routing_key, mandatory=False), 5)
            except (AMQPError, OSError, RuntimeError, TimeoutError, asyncio.CancelledError) as error:
                if isinstance(error, asyncio.CancelledError) and (task := asyncio.current_task()) and task.cancelling():
                    raise
                await asyncio.sleep(0.5)
            else:
                self.sent += 1
                return True
        return False

    def copies(self, rng: random.Random, count: int) -> list[Letter]:
        """Events that were heard, in no order; some for one queue only, as a retry sends them."""
        chosen = rng.sample(self.heard, min(count, len(self.heard)))
        letters = [_for_one_queue(rng, letter) if rng.random() < 0.3 else letter for letter in chosen]
        rng.shuffle(letters)
        return letters

    def command_copies(self, rng: random.Random, count: int) -> list[Letter]:
        """Commands that were sent for sources that were heard of."""
        ingested = [letter for letter in self.heard if letter.routing_key == SourceIngested.routing_key]
        letters = []
        for letter in rng.sample(ingested, min(count, len(ingested))):
            event = SourceIngested.model_validate(json.loads(letter.body))
            for command in rng.sample(commands(event), min(2, len(commands(event)))):
                identity = message_id(command, unit_name(command))
                body = command.model_dump_json().encode()
                letters.append(Letter("", command.queue, body, {}, message_id=identity))
        rng.shuffle(letters)
        return letters


def _for_one_queue(rng: random.Random, letter: Letter) -> Letter:
    """The letter as a retry sends it: to one of its queues, where only its type says what it is."""
    queues = [queue.name for queue in WORK_QUEUES if letter.routing_key in queue.keys]
    return replace(letter, exchange="", routing_key=rng.choice(queues)) if queues else letter
