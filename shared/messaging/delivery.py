"""What happens to a message whose handler failed: one middleware for every subscriber of every service (PIP-4).

Faults of what a user sent become the outcome of their job (`refusals`). Of any other message a copy is published,
confirmed, to a delay tier or to the dead letters, and then the original is acknowledged. The two are not atomic: a
crash between them delivers twice, which every handler survives.
"""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, ClassVar, TypeVar

import structlog
from aio_pika import IncomingMessage
from aio_pika.exceptions import AMQPError, DeliveryError
from faststream import BaseMiddleware
from faststream.exceptions import IgnoredException, NackMessage
from faststream.message import StreamMessage
from faststream.rabbit import RabbitBroker, RabbitExchange
from opentelemetry import trace
from opentelemetry.util.types import AttributeValue
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from shared.circuit import Circuits
from shared.errors import BrokerError, OtherVersionError
from shared.messaging.content import attribute
from shared.messaging.headers import (
    ATTEMPT,
    BROKER_HEADERS,
    CODE,
    HISTORY,
    PUBLIC_MESSAGE,
    QUEUE,
    REASON,
    ROUTING_KEY,
    WAITING_SINCE,
    WAITS,
    history,
    number,
    routing_key_of,
)
from shared.messaging.publish import PUBLISH_TIMEOUT_S
from shared.messaging.refusals import refused
from shared.messaging.topology import (
    BURIALS,
    DEAD_LETTERS_EXCHANGE,
    other_version,
    random_tier_s,
    retry_exchange,
    unknown_event,
)
from shared.messaging.verdict import Past, Policy, Verdict, judge
from shared.messaging.wire import portable
from shared.telemetry import failed, note_work, unit_of

log = structlog.get_logger()

_HISTORY_KEPT = 20
OTHER_VERSION = (
    "This job has a step that another version of Lectern began and this one cannot do. Retry it once that version runs."
)
# A message waits this long in hand for a dependency that is away, or for a broker that takes nothing, before it goes to
# a delay tier or back to its queue: well below the 30 minutes after which RabbitMQ takes it back by itself.
HOLD_S = 600.0
_REFUSED = (BrokerError, AMQPError, DeliveryError, OSError, TimeoutError, RuntimeError)
T = TypeVar("T")


class JobGoneError(Exception):
    """The job was deleted: the message is done with, and nothing comes of it."""

    unwanted: ClassVar[bool] = True  # for spans: nothing failed


class RunCancelledError(JobGoneError):
    """This run of the job was cancelled; what earlier work left is kept for the next run."""


class RetryMiddleware(BaseMiddleware[Any, Any]):
    """Sends what failed to its delay tier or to the dead letters. Construct through `retry_middleware`."""

    policy: Policy = Policy(())
    circuits: Circuits = Circuits({})

    def __init__(self, msg: Any, /, *, context: Any) -> None:
        super().__init__(msg, context=context)
        self._settled = False

    async def consume_scope(
        self, call_next: Callable[[StreamMessage[IncomingMessage]], Awaitable[Any]], msg: StreamMessage[IncomingMessage]
    ) -> Any:
        """Call the handler; settle its failure inside the span of the message, then let tracing see the error."""
        if self._dropped_as_unknown():
            return None
        try:
            if other := self._of_other_version():
                raise other
            if self._queue != BURIALS.name:  # its handler waits by itself: a dead letter has nowhere else to go
                await self.circuits.wait(HOLD_S)
            return await call_next(msg)
        except IgnoredException:
            raise
        except JobGoneError as gone:
            note_work(unit=unit_of(gone))
            log.info("message of an unwanted job dropped", error=str(gone))
            failed(trace.get_current_span(), gone)
            return None
        except Exception as error:  # the one place where everything is caught: nothing may be lost
            await self._settle(error)
            raise

    @property
    def _queue(self) -> str:
        name: str = self.context.get("handler_").queue.name
        return name

    async def after_processed(
        self,
        exc_type: type[BaseException] | None = None,
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,  # noqa: ARG002 -- FastStream's signature
    ) -> bool | None:
        """Settle what failed before the handler (decoding, validation); a settled message is acknowledged."""
        if exc_type is None or not isinstance(exc_val, Exception) or isinstance(exc_val, IgnoredException):
            return False  # a CancelledError leaves the message unacknowledged: the broker delivers it again
        if not self._settled:
            await self._settle(exc_val)
        return True

    def _dropped_as_unknown(self) -> bool:
        """Whether the message is an event that another version reads here, and this one does not."""
        message: IncomingMessage = self.msg
        headers = message.headers or {}
        key = routing_key_of(headers, message.routing_key, self._queue)
        unknown = unknown_event(self._queue, key, attribute(headers, "type") or message.type)
        if unknown:
            log.warning("unknown event ignored", queue=self._queue, event_type=unknown, message_id=message.message_id)
        return unknown is not None

    def _of_other_version(self) -> OtherVersionError | None:
        """The error for a command of another version. It is not done as far as it can be read: that loses the rest."""
        message: IncomingMessage = self.msg
        kind = other_version(self._queue, attribute(message.headers or {}, "type") or message.type)
        return (
            OtherVersionError(f"{kind} is a command of another version", public_message=OTHER_VERSION) if kind else None
        )

    async def _settle(self, error: Exception) -> None:
        message: IncomingMessage = self.msg
        if self._dropped_as_unknown():  # it could not even be decoded
            self._settled = True
            return
        error = self._of_other_version() or error  # one that could not even be decoded
        if await self._patiently(error, refused, self.context.get("broker"), self._queue, message, error):
            self._settled = True
            return
        # A stranger's headers may hold what the client library can read but not send.
        headers = portable(
            {name: value for name, value in (message.headers or {}).items() if name not in BROKER_HEADERS}
        )
        now = datetime.now(UTC)
        since = _time(headers.get(WAITING_SINCE)) or now
        past = Past(number(headers, ATTEMPT), number(headers, WAITS), (now - since).total_seconds())
        verdict = judge(error, past, self.policy, away=await self.circuits.is_away(error))
        note_work(unit=unit_of(error))
        _tell_span(error, verdict)
        headers |= self._outcome(headers, error, verdict, past)
        if verdict.waits:
            headers |= {WAITS: past.waits + 1, WAITING_SINCE: since.isoformat()}
        exchange = DEAD_LETTERS_EXCHANGE if verdict.delay_s is None else retry_exchange(random_tier_s(verdict.delay_s))
        await self._patiently(error, self._republish, message, exchange, headers)
        self._settled = True
        self._log(error, verdict, past)

    def _outcome(self, headers: dict[str, Any], error: Exception, verdict: Verdict, past: Past) -> dict[str, Any]:
        """The headers that tell what has become of the message, which has these `headers`."""
        message: IncomingMessage = self.msg
        attempt = past.attempts + (0 if verdict.waits else 1)
        entry = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "queue": self._queue,
            "attempt": past.attempts + 1,
            "error": type(error).__name__,
            "text": str(error)[:500],
        }
        outcome = {
            ATTEMPT: attempt,
            QUEUE: self._queue,
            REASON: verdict.reason,
            CODE: verdict.code,
            PUBLIC_MESSAGE: verdict.public_message,
            HISTORY: json.dumps([*history(headers), entry][-_HISTORY_KEPT:]),
        }
        key = routing_key_of(message.headers or {}, message.routing_key, self._queue)
        return outcome | ({ROUTING_KEY: key} if key else {})

    def _log(self, error: Exception, verdict: Verdict, past: Past) -> None:
        say = log.error if verdict.delay_s is None else log.warning
        say(
            "message buried" if verdict.delay_s is None else "message will be retried",
            queue=self._queue,
            message_id=self.msg.message_id,
            attempt=past.attempts + 1,
            reason=verdict.reason,
            delay_s=verdict.delay_s,
            exc_info=error,
        )

    async def _patiently(self, error: Exception, publish: Callable[..., Awaitable[T]], *arguments: object) -> T:
        """Publish what follows from a failed message; a broker that takes nothing is tried again."""
        patiently = AsyncRetrying(
            retry=retry_if_exception_type(_REFUSED),
            wait=wait_random_exponential(multiplier=0.1, max=10),
            stop=stop_after_delay(HOLD_S),
            reraise=True,
        )
        try:
            return await patiently(publish, *arguments)
        except _REFUSED as refusal:
            # Nothing that follows from it was taken: requeue; the delivery limit bounds the loop.
            log.error(
                "failed message could not be moved",
                queue=self._queue,
                message_id=self.msg.message_id,
                exc_info=refusal,
            )
            raise NackMessage from error

    async def _republish(self, message: IncomingMessage, exchange: RabbitExchange, headers: dict[str, Any]) -> None:
        broker: RabbitBroker = self.context.get("broker")
        await broker.publish(
            message.body,
            exchange=exchange,
            routing_key=self._queue,
            headers=headers,
            persist=True,
            mandatory=True,
            timeout=PUBLISH_TIMEOUT_S,
            content_type=message.content_type,
            content_encoding=message.content_encoding,
            message_id=message.message_id,
            correlation_id=message.correlation_id,
            message_type=message.type,
            timestamp=message.timestamp,
        )


def _tell_span(error: Exception, verdict: Verdict) -> None:
    """What becomes of the message, on its span."""
    span = trace.get_current_span()
    failed(span, error)
    what: dict[str, AttributeValue] = {"lectern.reason": verdict.reason, "lectern.waits_for_dependency": verdict.waits}
    if verdict.delay_s is None:
        span.add_event("dead letter", what)
    else:
        span.add_event("retry", {**what, "lectern.retry.delay_s": verdict.delay_s})


def _time(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else None


def retry_middleware(policy: Policy, circuits: Circuits) -> type[RetryMiddleware]:
    """The middleware with these waiting times, waiting for these dependencies."""
    return type("ConfiguredRetryMiddleware", (RetryMiddleware,), {"policy": policy, "circuits": circuits})
