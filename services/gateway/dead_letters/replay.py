"""Replays: a dead letter goes back to its work queue, as it was, in the trace it belongs to.

First the letter is claimed, then the job learns of the replay, then the message is published, then the letter is
settled. Whoever is killed between two of these leaves a claim behind, which `finish_replays` of any gateway takes up:
nothing is lost, and a message published twice is one that every handler survives.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import aio_pika
import structlog
from aio_pika.abc import DeliveryMode
from opentelemetry import trace

from services.gateway.dead_letters.letters import DeadLetters, LetterFilter
from services.gateway.dead_letters.post import Post, Send
from shared.database import Document
from shared.errors import LecternError, ObjectNotFoundError
from shared.messaging.headers import (
    ATTEMPT,
    BROKER_HEADERS,
    CODE,
    OWNER,
    PUBLIC_MESSAGE,
    QUEUE,
    REASON,
    REPLAYS,
    ROUTING_KEY,
    WAITING_SINCE,
    WAITS,
    routing_key_of,
)
from shared.messaging.logs import said_of_job
from shared.messaging.refusals import stage_of
from shared.messaging.tracing import sending, trace_headers
from shared.messaging.wire import unpack
from shared.telemetry import span, trace_context, work_on

log = structlog.get_logger()

LearnReplay = Callable[[str, str, int], Awaitable[None]]
# A claim that is older belongs to a gateway that was killed or cut off.
IDLE = timedelta(seconds=30)
# How long a caller waits for the broker; then the replay goes on behind them.
PATIENCE_S = 5.0
_AT_ONCE = 200
# Of the attempts that ended.
_LEFT_BEHIND = BROKER_HEADERS | {ATTEMPT, WAITS, WAITING_SINCE, REASON, CODE, PUBLIC_MESSAGE, QUEUE}


def message_again(document: Document, body: bytes) -> aio_pika.Message:
    """The message of a letter as it goes back: a fresh start, with its history, and one replay more."""
    kept = unpack(bytes(document["headers"]))
    headers = {name: value for name, value in kept.items() if name not in _LEFT_BEHIND}
    if key := routing_key_of(kept, None, document["queue"]):
        headers[ROUTING_KEY] = key
    return aio_pika.Message(
        body,
        headers={**headers, REPLAYS: document["replays"] + 1},
        delivery_mode=DeliveryMode.PERSISTENT,
        **{name: value for name, value in document["properties"].items() if value is not None},
    )


class Replays:
    """Sends dead letters back. `learn` tells the read model of a job which letter of it is replayed how often."""

    def __init__(self, letters: DeadLetters, post: Post, learn: LearnReplay, *, idle: timedelta = IDLE) -> None:
        self._letters = letters
        self._post = post
        self._learn = learn
        self._idle = idle
        self._going_on: set[asyncio.Task[None]] = set()

    async def replay(self, letter: str) -> bool:
        """Send one letter back; False where it is not buried (any more), or belongs to no queue of ours.

        True is a promise: where the broker is away, `finish_replays` keeps it later. Raises DatabaseError.
        """
        if not await self._letters.claim(letter):
            return False
        document = await self._letters.find(letter)
        if document is not None:
            sending = asyncio.create_task(self._send(document))
            self._going_on.add(sending)
            sending.add_done_callback(self._going_on.discard)
            done, _ = await asyncio.wait({sending}, timeout=PATIENCE_S)
            for task in done:
                task.result()
        return True

    async def _send(self, document: Document) -> None:
        try:
            async with self._post.sending() as send:
                await self._finish(send, document)
        except LecternError as error:
            log.warning("replay goes on later", letter=document["_id"], error=str(error)[:300])

    async def replay_all(self, chosen: LetterFilter) -> int:
        """Claim all buried letters of `chosen`; how many. `finish_replays` sends them."""
        return await self._letters.claim_all(chosen)

    async def finish_replays(self) -> int:
        """Send every claimed letter that nobody has in hand; how many. Raises LecternError when something is away."""
        sent = 0
        while claimed := await self._letters.claimed(idle=self._idle, limit=_AT_ONCE):
            async with self._post.sending() as send:
                for letter in claimed:
                    document = await self._letters.take_up(letter, idle=self._idle)
                    if document is not None:
                        sent += await self._finish(send, document)
        return sent

    async def _finish(self, send: Send, document: Document) -> bool:
        letter = document["_id"]
        try:
            body = await self._letters.body(document)
        except ObjectNotFoundError:
            log.error("dead letter cannot be replayed: its body is gone", letter=letter)
            await self._letters.give_back(letter)
            return False
        if document["job_id"]:
            await self._learn(document["job_id"], document["letter"], document["replays"] + 1)
        message = message_again(document, body)
        with work_on(**_work_of(document, message)), _sending_again(document, message):
            message.headers |= trace_headers()
            await send(document["queue"], message)
            await self._letters.sent(letter)
            log.info("dead letter replayed", letter=letter)
        return True


def _work_of(document: Document, message: aio_pika.Message) -> dict[str, str | int | None]:
    """What the letter is about, for log lines and the span; its next attempt is the first of a fresh start."""
    said = said_of_job(message.body, message.content_type)
    owner = message.headers.get(OWNER, said.owner)
    return {
        "job_id": document["job_id"],
        "owner": owner if isinstance(owner, str) else None,
        "run": said.run,
        "stage": stage_of(document["queue"]),
        "unit": said.unit,
        "attempt": 1,
        "queue": document["queue"],
    }


def _sending_again(document: Document, message: aio_pika.Message) -> span:
    """The span of a replay: in the trace of the job, with a link to the request that asked for it."""
    asked_by = trace.get_current_span().get_span_context()
    return sending(
        "",
        document["queue"],
        message.message_id,
        {"lectern.replays": document["replays"] + 1},
        verb="replay",
        parent=trace_context(message.headers),
        links=[asked_by] if asked_by.is_valid else [],
    )
