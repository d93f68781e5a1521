"""Subscribers: every event of the system, and every dead letter, into the read model. Safe to redeliver."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import structlog
from aio_pika.abc import AbstractIncomingMessage
from faststream.rabbit import RabbitBroker, RabbitMessage
from opentelemetry import trace
from tenacity import retry, retry_if_exception_type, wait_random_exponential

from services.gateway.dead_letters.letter import DeadLetter, dead_letter_of
from services.gateway.jobs.facts import Addition, Failure, addition_of, addition_of_invalid
from services.gateway.jobs.read_model import ReadModel
from services.gateway.jobs.received import news_in
from services.gateway.jobs.view import TERMINAL
from shared.database import Document
from shared.errors import DatabaseError, StorageError
from shared.events import Event, JobCancelled, JobDeleted, JobEnded, JobSubmitted, Stage
from shared.messaging.broker import subscribe
from shared.messaging.content import attribute
from shared.messaging.logs import run_of_body
from shared.messaging.refusals import stage_of
from shared.messaging.submissions import InvalidSubmission
from shared.messaging.topology import CANCELLATIONS, PROGRESS, REMOVALS, burials_queue
from shared.messaging.verdict import INVALID_MESSAGE
from shared.telemetry import current_trace_id, gathering, note_work, traceparent

log = structlog.get_logger()

# A job that could not be told of its end has not failed by that.
_ENDS = {queue.name for queue in (*REMOVALS.values(), *CANCELLATIONS.values())}
PREFETCH = 16

# While the database is away, or the storage for a large one, a dead letter waits here, in hand: there is no further
# queue for it to go to.
_until_kept = retry(
    retry=retry_if_exception_type((DatabaseError, StorageError)),
    wait=wait_random_exponential(multiplier=0.2, max=5),
    reraise=True,
)
# What services of ours call themselves in CloudEvents' `source`.
OWN_SOURCES = "/lectern/"


def _with_trace(addition: Addition) -> Addition:
    trace_id = current_trace_id()
    return replace(addition, minima={"facts.seen_trace_id": trace_id}) if trace_id else addition


def _with_origin(addition: Addition) -> Addition:
    """A first submission that came as an event: its trace is the job's, and that of later runs."""
    trace_id = current_trace_id()
    if trace_id is None:
        return addition
    origin = {"facts.trace_id": trace_id, "traceparent": traceparent()}
    return replace(addition, facts={**addition.facts, **origin})


def failed_stage(queue: str) -> Stage | None:
    """The stage that has failed when a message of `queue` is dead; None where that fails no job."""
    return None if queue in _ENDS else stage_of(queue)


def _is_stray(letter: DeadLetter) -> bool:
    """Whether it is somebody else's message that nobody can read: it says nothing about a job that it may name."""
    source = attribute(letter.headers, "source")
    return letter.reason == INVALID_MESSAGE and not str(source).startswith(OWN_SOURCES)


def failure_of(letter: DeadLetter) -> Failure | None:
    """What a dead letter says about its job; None where it fails none."""
    stage = failed_stage(letter.queue)
    if stage is None or letter.job_id is None or _is_stray(letter):
        return None
    return Failure(
        stage=stage,
        queue=letter.queue,
        code=letter.code,
        message=letter.public_message,
        run=run_of_body(letter.body, letter.properties.content_type),
        letter=letter.letter,
        replays=letter.replays,
    )


class Projection:
    """Puts messages into the read model, and dead letters where an administrator finds them.

    `tell_end` tells others of the end of a job, `on_end` is told its owner.
    """

    def __init__(
        self,
        read_model: ReadModel,
        keep_letter: Callable[[DeadLetter], Awaitable[None]],
        purge_letters: Callable[[str], Awaitable[object]],
        tell_end: Callable[[Document], Awaitable[None]],
        on_end: Callable[[str], Awaitable[None]],
    ) -> None:
        self._read_model = read_model
        self._keep_letter = keep_letter
        self._purge_letters = purge_letters
        self._tell_end = tell_end
        self._on_end = on_end

    async def on_event(self, message: AbstractIncomingMessage) -> None:
        """Learn what an event says."""
        news = news_in(message)
        if isinstance(news, InvalidSubmission):
            log.warning("invalid submission", job_id=news.job_id, fault=news.fault)
            await self._learned(
                await self._read_model.add(news.job_id, _with_origin(_with_trace(addition_of_invalid(news))))
            )
        else:
            await self.learn(news)

    async def learn(self, event: Event) -> None:
        """Put `event` into the read model; the same again changes nothing."""
        if isinstance(event, JobDeleted):
            await self._read_model.forget(event.job_id, untold=False)
        elif isinstance(event, JobCancelled | JobEnded):
            return  # the gateway's own word: it was kept before it was published
        else:
            published_run, addition = 0, _with_trace(addition_of(event))
            if isinstance(event, JobSubmitted):
                published_run, addition = event.run, _with_origin(addition)
            with gathering(onto=trace.get_current_span()):  # the write is what the message is about
                document = await self._read_model.add(event.job_id, addition, published_run=published_run)
            await self._learned(document)

    async def _learned(self, document: Document | None) -> None:
        if document is not None and document["status"] in TERMINAL and "owner" in document:
            await self._tell_end(document)
            await self._on_end(document["owner"])

    @_until_kept
    async def on_burial(self, message: RabbitMessage) -> None:
        """Keep a dead letter and fail its job. Never raises: one that failed here would come back here."""
        letter = dead_letter_of(message.raw_message)
        note_work(job_id=letter.job_id, stage=failed_stage(letter.queue))
        await self._keep_letter(letter)
        if letter.job_id is not None and await self._read_model.is_deleted(letter.job_id):
            await self._purge_letters(letter.job_id)  # of a job that is gone nothing stays, whatever came of it
            return
        failure = failure_of(letter)
        if failure is None or letter.job_id is None:
            log.error("dead letter that fails no job", queue=letter.queue, reason=letter.reason, letter=letter.id)
            return
        await self._learned(await self._read_model.add(letter.job_id, _with_trace(failure.addition())))


async def _undecoded(message: RabbitMessage, _original: Callable[[RabbitMessage], Awaitable[Any]]) -> bytes:
    return message.body


def register(broker: RabbitBroker, projection: Projection) -> None:
    """Subscribe the projection."""

    async def on_event(_body: bytes, message: RabbitMessage) -> None:
        await projection.on_event(message.raw_message)

    async def on_burial(_body: bytes, message: RabbitMessage) -> None:
        await projection.on_burial(message)

    # Anything may come from other systems, and lie among the dead letters: both read the bodies themselves.
    subscribe(broker, PROGRESS, on_event, prefetch=PREFETCH, title="progress", decoder=_undecoded)
    subscribe(broker, burials_queue(), on_burial, prefetch=PREFETCH, title="burials", decoder=_undecoded)
