"""What happens to a message whose handler failed: one middleware for every subscriber of every service (PIP-4).

A copy is published, confirmed, to a delay tier or to the dead letters, and then the original is acknowledged. The
two are not atomic: a crash between them delivers twice, which every handler survives.
"""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import structlog
from aio_pika import IncomingMessage
from aio_pika.exceptions import AMQPError, DeliveryError
from faststream import BaseMiddleware
from faststream.exceptions import IgnoredException, NackMessage, SubscriberNotFound
from faststream.message import StreamMessage
from faststream.rabbit import RabbitBroker, RabbitExchange
from pydantic import ValidationError

from shared.errors import InvalidMessageError, LecternError
from shared.messaging.publish import PUBLISH_TIMEOUT_S
from shared.messaging.topology import DEAD_LETTERS_EXCHANGE, retry_exchange

log = structlog.get_logger()

ATTEMPT = "x-lectern-attempt"
HISTORY = "x-lectern-history"
REASON = "x-lectern-reason"
CODE = "x-lectern-code"
PUBLIC_MESSAGE = "x-lectern-public-message"
QUEUE = "x-lectern-queue"

# RabbitMQ's own death headers: left on a message that is published again, 3.10's cycle detection drops it silently.
BROKER_HEADERS = frozenset(
    {
        "x-death",
        "x-delivery-count",
        "x-acquired-count",
        *(f"x-{which}-death-{what}" for which in ("first", "last") for what in ("exchange", "queue", "reason")),
    }
)
_MALFORMED = (ValidationError, json.JSONDecodeError, UnicodeDecodeError, SubscriberNotFound)
_HISTORY_KEPT = 20


class JobGoneError(Exception):
    """The job was deleted: the message is done with, and nothing comes of it."""


class Verdict:
    """What to do with a failed message. `delay_s` is None for the dead letters."""

    def __init__(self, error: Exception, attempt: int, delays_s: tuple[float, ...]) -> None:
        self.reason, self.delay_s = self._judge(error, attempt, delays_s)
        self.code = error.code if isinstance(error, LecternError) else LecternError.code
        self.public_message = error.public_message if isinstance(error, LecternError) else LecternError.default_message
        if isinstance(error, _MALFORMED):
            self.code, self.public_message = InvalidMessageError.code, InvalidMessageError.default_message

    @staticmethod
    def _judge(error: Exception, attempt: int, delays_s: tuple[float, ...]) -> tuple[str, float | None]:
        if isinstance(error, _MALFORMED):
            return "invalid-message", None
        if isinstance(error, LecternError) and not error.retryable:
            return "permanent-error", None
        if attempt > len(delays_s):
            return "attempts-exhausted", None
        return "retry", delays_s[attempt - 1]


def _history(headers: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        history = json.loads(str(headers.get(HISTORY, "[]")))
    except json.JSONDecodeError:  # somebody else's header
        return []
    return history if isinstance(history, list) else []


def _attempt(headers: dict[str, Any]) -> int:
    try:
        return max(0, int(headers.get(ATTEMPT, 0)))
    except (TypeError, ValueError):  # somebody else's header
        return 0


class RetryMiddleware(BaseMiddleware[Any, Any]):
    """Sends what failed to its delay tier or to the dead letters. Construct through `retry_middleware`."""

    delays_s: tuple[float, ...] = ()

    def __init__(self, msg: Any, /, *, context: Any) -> None:
        super().__init__(msg, context=context)
        self._settled = False

    async def consume_scope(
        self, call_next: Callable[[StreamMessage[IncomingMessage]], Awaitable[Any]], msg: StreamMessage[IncomingMessage]
    ) -> Any:
        """Call the handler; settle its failure inside the span of the message, then let tracing see the error."""
        try:
            return await call_next(msg)
        except IgnoredException:
            raise
        except JobGoneError as gone:
            log.info("message of a deleted job dropped", error=str(gone))
            return None
        except Exception as error:  # the one place where everything is caught: nothing may be lost
            await self._settle(error)
            raise

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

    async def _settle(self, error: Exception) -> None:
        message: IncomingMessage = self.msg
        queue: str = self.context.get("handler_").queue.name
        headers = {name: value for name, value in (message.headers or {}).items() if name not in BROKER_HEADERS}
        attempt = _attempt(headers) + 1
        verdict = Verdict(error, attempt, self.delays_s)
        entry = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "queue": queue,
            "attempt": attempt,
            "error": type(error).__name__,
            "text": str(error)[:500],
        }
        headers |= {
            ATTEMPT: attempt,
            QUEUE: queue,
            REASON: verdict.reason,
            CODE: verdict.code,
            PUBLIC_MESSAGE: verdict.public_message,
            HISTORY: json.dumps([*_history(headers), entry][-_HISTORY_KEPT:]),
        }
        exchange = DEAD_LETTERS_EXCHANGE if verdict.delay_s is None else retry_exchange(verdict.delay_s)
        await self._republish(message, exchange, queue, headers, error)
        self._settled = True
        say = log.error if verdict.delay_s is None else log.warning
        say(
            "message buried" if verdict.delay_s is None else "message will be retried",
            queue=queue,
            message_id=message.message_id,
            attempt=attempt,
            reason=verdict.reason,
            delay_s=verdict.delay_s,
            exc_info=error,
        )

    async def _republish(
        self,
        message: IncomingMessage,
        exchange: RabbitExchange,
        queue: str,
        headers: dict[str, Any],
        error: Exception,
    ) -> None:
        broker: RabbitBroker = self.context.get("broker")
        try:
            await broker.publish(
                message.body,
                exchange=exchange,
                routing_key=queue,
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
        except (AMQPError, DeliveryError, OSError, TimeoutError, RuntimeError) as refused:
            # Neither tier nor grave took it: the original stays, and its delivery limit bounds the circle.
            log.error("failed message could not be moved", queue=queue, message_id=message.message_id, exc_info=refused)
            raise NackMessage from error


def retry_middleware(delays_s: tuple[float, ...]) -> type[RetryMiddleware]:
    """The middleware with these waiting times before each further attempt."""
    return type("ConfiguredRetryMiddleware", (RetryMiddleware,), {"delays_s": delays_s})
