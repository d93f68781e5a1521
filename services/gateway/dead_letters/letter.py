"""A dead letter as it came from the broker: what it is, why it died, and the name that stays the same.

Nothing here trusts a letter. Its headers may be missing, of any type, or lie; its body may be anything.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aio_pika.abc import AbstractIncomingMessage

from shared.errors import LecternError
from shared.messaging.headers import ATTEMPT, CODE, PUBLIC_MESSAGE, REASON, REPLAYS, history, number
from shared.messaging.logs import job_of
from shared.messaging.topology import WORK_QUEUES
from shared.messaging.wire import clean

UNKNOWN_REASON = "unknown"
_QUEUES = frozenset(queue.name for queue in WORK_QUEUES)
_OF_THE_BROKER = {
    "delivery_limit": "delivery-limit",
    "expired": "expired",
    "maxlen": "queue-full",
    "rejected": "rejected",
}
# What a message in a delay tier carries: words about an earlier attempt, not about its end.
_NOT_FINAL = ("retry", "dependency-away")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_MOST = 1_000_000
_HISTORY_SHOWN = 20


@dataclass(frozen=True)
class Properties:
    """The AMQP properties that a replay carries again; None where the message had none."""

    message_id: str | None = None
    content_type: str | None = None
    content_encoding: str | None = None
    correlation_id: str | None = None
    reply_to: str | None = None
    type: str | None = None
    app_id: str | None = None
    priority: int | None = None
    timestamp: datetime | None = None


@dataclass(frozen=True)
class Failure:
    """One failed attempt: when, where, the type of the error and its text."""

    at: str
    queue: str
    attempt: int
    error: str
    text: str


@dataclass(frozen=True)
class DeadLetter:
    """A message that was given up.

    `letter` is the same for every replay of a message, `replays` counts them, and both together are its `id`. `queue`
    is the work queue that it died in. `attempts` are those that failed, without deliveries that ended without a word.
    """

    letter: str
    replays: int
    queue: str
    job_id: str | None
    reason: str
    code: str
    public_message: str
    attempts: int
    history: tuple[Failure, ...]
    trace_id: str | None
    body: bytes
    headers: Mapping[str, Any]
    properties: Properties

    @property
    def id(self) -> str:
        """Name of this death of the message."""
        return letter_key(self.letter, self.replays)

    @property
    def replayable(self) -> bool:
        """Whether its queue is one of ours."""
        return self.queue in _QUEUES


def letter_id(queue: str, message_id: str | None, body: bytes) -> str:
    """24 hexadecimal digits: the same for a message and for every replay of it."""
    return hashlib.sha256(b"\0".join((queue.encode(), (message_id or "").encode(), body))).hexdigest()[:24]


def letter_key(letter: str, replays: int) -> str:
    """Name of one death of a message."""
    return f"{letter}-{replays}"


def key_of(queue: str, message: AbstractIncomingMessage) -> str:
    """The `id` of a letter that lies in the dead-letter queue of `queue`."""
    return letter_key(letter_id(queue, message.message_id, message.body), _number(message.headers, REPLAYS))


def dead_letter_of(message: AbstractIncomingMessage) -> DeadLetter:
    """What a message from the dead letters' exchange says. Never raises.

    Its routing key names the queue it died in, whoever buried it: headers may say otherwise, and for a message that
    had been retried the broker's own name a delay tier.
    """
    headers = dict(message.headers or {})
    queue = message.routing_key or ""
    by_broker = _brokers_reason(headers)
    reason = by_broker or _services_reason(headers)
    said = by_broker is None and reason != UNKNOWN_REASON
    return DeadLetter(
        letter=letter_id(queue, message.message_id, message.body),
        replays=_number(headers, REPLAYS),
        queue=queue,
        job_id=_job_of(message.body, message.content_type),
        reason=reason,
        code=clean(headers.get(CODE) or LecternError.code, 100) if said else LecternError.code,
        public_message=clean(headers.get(PUBLIC_MESSAGE) or LecternError.default_message, 1000)
        if said
        else LecternError.default_message,
        attempts=_number(headers, ATTEMPT),
        history=_history(headers),
        trace_id=trace_id_of(headers),
        body=message.body,
        headers=headers,
        properties=_properties(message),
    )


def _number(headers: Mapping[str, Any], name: str) -> int:
    return min(number(headers, name), _MOST)


def _brokers_reason(headers: Mapping[str, Any]) -> str | None:
    """Why the broker itself buried a letter; None where a service did, which takes the broker's headers off."""
    deaths = headers.get("x-death")
    last = deaths[0] if isinstance(deaths, list) and deaths else None
    if not isinstance(last, Mapping):
        return None
    return _OF_THE_BROKER.get(str(last.get("reason")), UNKNOWN_REASON)


def _services_reason(headers: Mapping[str, Any]) -> str:
    reason = headers.get(REASON)
    if not isinstance(reason, str) or reason in ("", *_NOT_FINAL):
        return UNKNOWN_REASON
    return clean(reason, 100)


def _job_of(body: bytes, content_type: str | None) -> str | None:
    return job_of(body, content_type) or None


def _history(headers: Mapping[str, Any]) -> tuple[Failure, ...]:
    try:
        entries = history(headers)
    except ValueError:
        return ()
    return tuple(
        Failure(
            at=clean(entry.get("at", ""), 40),
            queue=clean(entry.get("queue", ""), 255),
            attempt=_number(entry, "attempt"),
            error=clean(entry.get("error", ""), 200),
            text=clean(entry.get("text", ""), 1000),
        )
        for entry in entries[-_HISTORY_SHOWN:]
    )


def trace_id_of(headers: Mapping[str, Any]) -> str | None:
    """The trace that the message belongs to, 32 hexadecimal digits."""
    found = _TRACEPARENT.fullmatch(str(headers.get("traceparent", "")))
    return found[1] if found else None


def _properties(message: AbstractIncomingMessage) -> Properties:
    return Properties(
        message_id=message.message_id,
        content_type=message.content_type,
        content_encoding=message.content_encoding,
        correlation_id=message.correlation_id,
        reply_to=message.reply_to,
        type=message.type,
        app_id=message.app_id,
        priority=message.priority,
        timestamp=message.timestamp,
    )
