"""Subscribers: every event of the system, and every dead letter, into the read model. Safe to redeliver."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import structlog
from faststream.rabbit import Channel, RabbitBroker, RabbitMessage
from tenacity import retry, retry_if_exception_type, wait_random_exponential

from services.gateway.jobs.facts import Addition, addition_of, addition_of_failure
from services.gateway.jobs.read_model import PENDING_SUBMISSION, ReadModel
from shared.errors import DatabaseError, InvalidMessageError, LecternError
from shared.events import EVENTS, STAGES, Event, JobDeleted, JobSubmitted, Stage
from shared.messaging.broker import subscribe
from shared.messaging.headers import CODE, PUBLIC_MESSAGE, QUEUE, REASON
from shared.messaging.logs import job_of
from shared.messaging.topology import PROGRESS, REMOVALS, burials_queue
from shared.telemetry import current_trace_id

log = structlog.get_logger()

_BY_KEY = {event.routing_key: event for event in EVENTS}
_REMOVALS = {queue.name for queue in REMOVALS.values()}
PREFETCH = 16

# While the database is away a message waits here, in hand, rather than in the retry tiers: those end, and what ends
# there would be missing from the read model for good.
_until_kept = retry(
    retry=retry_if_exception_type(DatabaseError), wait=wait_random_exponential(multiplier=0.2, max=5), reraise=True
)


def event_of(routing_key: str | None, kind: str | None, body: dict[str, Any]) -> Event:
    """The event in a message, by its routing key or, where that is a queue's name, by its CloudEvents type.

    Raises InvalidMessageError for an unknown one and ValidationError for a body that is not what its type says.
    """
    model = _BY_KEY.get(routing_key or "") or _BY_KEY.get(kind or "")
    if model is None:
        raise InvalidMessageError(f"no event {routing_key!r} / {kind!r}")
    return model.model_validate(body)


def _kind(message: RabbitMessage) -> str | None:
    headers = message.headers or {}
    kind = headers.get("cloudEvents_type") or headers.get("cloudEvents:type") or message.raw_message.type
    return str(kind) if kind else None


def _with_trace(addition: Addition) -> Addition:
    trace_id = current_trace_id()
    return replace(addition, minima={"facts.seen_trace_id": trace_id}) if trace_id else addition


def failed_stage(queue: str) -> Stage | None:
    """The stage that has failed when a message of `queue` is dead; None where that fails no job."""
    if queue in _REMOVALS:
        return None
    service = queue.partition(".")[0]
    return next((stage for stage in STAGES if stage == service), None)


def failure_of(routing_key: str | None, headers: dict[str, Any]) -> Addition | None:
    """What a dead letter says about its job.

    One that the broker itself buried, after too many deliveries without an answer, carries at most the words of an
    earlier attempt: these are not its cause.
    """
    by_service = headers.get(REASON) not in (None, "retry")
    queue = str(headers.get(QUEUE) if by_service else headers.get("x-first-death-queue") or routing_key or "")
    stage = failed_stage(queue)
    if stage is None:
        return None
    code = str(headers.get(CODE) or LecternError.code) if by_service else LecternError.code
    message = headers.get(PUBLIC_MESSAGE) if by_service else None
    return addition_of_failure(stage, queue, code, str(message or LecternError.default_message))


class Projection:
    """Puts messages into the read model."""

    def __init__(self, read_model: ReadModel) -> None:
        self._read_model = read_model

    async def on_event(self, body: dict[str, Any], message: RabbitMessage) -> None:
        """Learn what an event says."""
        await self.learn(event_of(message.raw_message.routing_key, _kind(message), body))

    @_until_kept
    async def learn(self, event: Event) -> None:
        """Put `event` into the read model; the same again changes nothing."""
        if isinstance(event, JobDeleted):
            await self._read_model.forget(event.job_id, pending=False)
            return
        settles = PENDING_SUBMISSION if isinstance(event, JobSubmitted) else None
        await self._read_model.add(event.job_id, _with_trace(addition_of(event)), settles=settles)

    async def on_burial(self, body: bytes, message: RabbitMessage) -> None:
        """Fail the job of a dead letter. Never raises: a dead letter that fails here would come back here."""
        addition = failure_of(message.raw_message.routing_key, dict(message.headers or {}))
        job_id = job_of(body)
        if addition is None or job_id is None:
            log.error("dead letter that fails no job", queue=message.raw_message.routing_key)
            return
        await self._keep_failure(job_id, addition)

    @_until_kept
    async def _keep_failure(self, job_id: str, addition: Addition) -> None:
        await self._read_model.add(job_id, _with_trace(addition))


async def _undecoded(message: RabbitMessage, _original: Callable[[RabbitMessage], Awaitable[Any]]) -> bytes:
    return message.body


def register(broker: RabbitBroker, projection: Projection) -> None:
    """Subscribe the projection."""

    async def on_event(body: dict[str, Any], message: RabbitMessage) -> None:
        await projection.on_event(body, message)

    async def on_burial(body: bytes, message: RabbitMessage) -> None:
        await projection.on_burial(body, message)

    subscribe(broker, PROGRESS, on_event, prefetch=PREFETCH, title="progress")
    # Anything may lie among the dead letters: nothing about their bodies is taken for granted.
    channel = Channel(prefetch_count=PREFETCH)
    broker.subscriber(burials_queue(), channel=channel, decoder=_undecoded, title="burials")(on_burial)
