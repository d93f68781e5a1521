"""Listens to every event of the run, so that they can be sent again; also sends whatever else is sent from outside."""

import asyncio
import contextlib
import json
import random
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractIncomingMessage

from deploy.local.broker_client import BROKEN, connected
from shared.commands import Command, FindSlides, ReadPages, TranscribeSpeech
from shared.events import SourceIngested, UnitFinished
from shared.messaging.content import attribute
from shared.messaging.job_trace import TRACEPARENT
from shared.messaging.logs import job_of
from shared.messaging.publish import message_id
from shared.messaging.topology import EVENTS_EXCHANGE, WORK_QUEUES
from tests.chaos.traces import Sighting, trace_of

TAP_QUEUE = "chaos.tap"
SEND_TIMEOUT_S = 15.0


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
    """Connections of the run's own, not through the proxy. Everything heard is kept once.

    Connections are made anew whenever they break: aio-pika's robust ones were seen to stay deaf after a killed broker.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._listening: asyncio.Task[None] | None = None
        self._hears = asyncio.Event()
        self._sending = AsyncExitStack()  # it can be used again once it is closed
        self._channel: AbstractChannel | None = None
        self._turn = asyncio.Lock()
        self._known: set[int] = set()
        self.heard: list[Letter] = []
        self.sightings: set[Sighting] = set()
        self.sent = 0

    async def open(self) -> None:
        """Listen, from now on."""
        self._listening = asyncio.create_task(self._listen())
        await asyncio.wait_for(self._hears.wait(), SEND_TIMEOUT_S)

    async def close(self) -> None:
        """Hang up; the queue goes with the broker."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self._hang_up()

    async def _listen(self) -> None:
        while True:
            with contextlib.suppress(*BROKEN):
                await self._listen_once()
            await asyncio.sleep(0.5)

    async def _listen_once(self) -> None:
        """Listen until the connection breaks."""
        closed = asyncio.Event()
        async with connected(self._url) as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue(TAP_QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
            await queue.bind(EVENTS_EXCHANGE.name, "#")
            for end in (connection, channel):
                end.close_callbacks.add(lambda *_: closed.set())
            await queue.consume(self._hear)
            self._hears.set()
            await closed.wait()

    async def _hang_up(self) -> None:
        self._channel = None
        await self._sending.aclose()

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
        if str(letter.message_id).startswith("hostile"):
            identity = 0
        elif job_id := job_of(letter.body, letter.content_type):
            self._note_trace(job_id, letter)
        if identity and identity not in self._known:
            self._known.add(identity)
            self.heard.append(letter)
        with contextlib.suppress(*BROKEN):
            await message.ack()

    def _note_trace(self, job_id: str, letter: Letter) -> None:
        """Which trace a message is in; others may send what is in none."""
        trace_id = trace_of(letter.headers)
        if trace_id is not None or str(attribute(letter.headers, "source")).startswith("/lectern/"):
            self.sightings.add((job_id, str(trace_id), f"in {letter.routing_key}"))

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
        async with self._turn:
            deadline = loop.time() + SEND_TIMEOUT_S
            while loop.time() < deadline:
                # In a task of its own: a lost connection cancels the wait for its confirmations.
                publishing = asyncio.create_task(self._publish(message, letter))
                try:
                    await asyncio.wait([publishing], timeout=5)
                except asyncio.CancelledError:
                    publishing.cancel()  # it would connect again after everything was closed
                    raise
                if publishing.done() and not publishing.cancelled() and publishing.exception() is None:
                    self.sent += 1
                    return True
                await self._give_up(publishing)
        return False

    async def _publish(self, message: aio_pika.Message, letter: Letter) -> None:
        exchange = await self._exchange(letter.exchange)
        await exchange.publish(message, letter.routing_key, mandatory=False)

    async def _give_up(self, publishing: "asyncio.Task[None]") -> None:
        """Begin anew with another connection. Raises what is no broken connection."""
        publishing.cancel()
        await asyncio.wait([publishing])
        if not publishing.cancelled() and (error := publishing.exception()) and not isinstance(error, BROKEN):
            raise error
        await self._hang_up()
        await asyncio.sleep(0.5)

    async def _exchange(self, name: str) -> AbstractExchange:
        if self._channel is None:
            connection = await self._sending.enter_async_context(connected(self._url))
            self._channel = await connection.channel()
        return await self._channel.get_exchange(name, ensure=False) if name else self._channel.default_exchange

    def copies(self, rng: random.Random, count: int) -> list[Letter]:
        """Events that were heard, in no order; some for one queue only, as a retry sends them."""
        chosen = rng.sample(self.heard, min(count, len(self.heard)))
        letters = [_for_one_queue(rng, letter) if rng.random() < 0.3 else letter for letter in chosen]
        rng.shuffle(letters)
        return letters

    def command_copies(self, rng: random.Random, count: int) -> list[Letter]:
        """Commands that were sent for sources that were heard of: some of their units have been heard of as well."""
        begun = {job_of(letter.body) for letter in self.heard if letter.routing_key == UnitFinished.routing_key}
        ingested = [
            letter
            for letter in self.heard
            if letter.routing_key == SourceIngested.routing_key and job_of(letter.body) in begun
        ]
        letters = []
        for letter in rng.sample(ingested, min(count, len(ingested))):
            commands = _commands(SourceIngested.model_validate(json.loads(letter.body)))
            for unit, command in rng.sample(commands, min(2, len(commands))):
                body = command.model_dump_json().encode()
                headers = {TRACEPARENT: letter.headers.get(TRACEPARENT)}
                letters.append(Letter("", command.queue, body, headers, message_id=message_id(command, unit)))
        rng.shuffle(letters)
        return letters


def _commands(event: SourceIngested) -> list[tuple[str, Command]]:
    """The commands that a source leads to, with the names of their units."""
    job: dict[str, Any] = {**event.job(), "units": event.units()}
    return [
        *((f"speech-{piece.number}", TranscribeSpeech(piece=piece, **job)) for piece in event.speech),
        *((f"slides-{span.number}", FindSlides(video=event.source, range=span, **job)) for span in event.slides),
        *((f"pages-{pages.number}", ReadPages(document=event.source, range=pages, **job)) for pages in event.pages),
    ]


def _for_one_queue(rng: random.Random, letter: Letter) -> Letter:
    """The letter as a retry sends it: to one of its queues, where only its type says what it is."""
    queues = [queue.name for queue in WORK_QUEUES if letter.routing_key in queue.keys]
    return replace(letter, exchange="", routing_key=rng.choice(queues)) if queues else letter
