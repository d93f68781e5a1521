"""Which event a message is that came for the read model."""

from collections.abc import Mapping
from typing import Any

from aio_pika.abc import AbstractIncomingMessage

from shared.errors import InvalidMessageError
from shared.events import EVENTS, Event, JobSubmitted
from shared.messaging.content import Content, attribute, content_of
from shared.messaging.headers import routing_key_of
from shared.messaging.submissions import InvalidSubmission, invalid_submission
from shared.messaging.topology import PROGRESS
from shared.messaging.verdict import MALFORMED

_BY_KEY = {event.routing_key: event for event in EVENTS}


def news_in(message: AbstractIncomingMessage) -> Event | InvalidSubmission:
    """The event in a message, or the submission that names its job and is wrong otherwise.

    Raises UnreadableMessageError for no JSON object, InvalidMessageError for an unknown event and ValidationError for a
    body that is not what its type says.
    """
    try:
        content = content_of(message.body, message.content_type)
        return event_of(_routing_key(message), _kind(message, content), content.data)
    except MALFORMED as error:
        invalid = invalid_submission(message, error)
        if invalid is not None and _is_submission(message, invalid):
            return invalid
        raise


def _is_submission(message: AbstractIncomingMessage, invalid: InvalidSubmission) -> bool:
    kind = attribute(message.headers or {}, "type") or message.type
    try:
        return _model(_routing_key(message), kind, invalid.content) is JobSubmitted
    except InvalidMessageError:
        return False


def event_of(routing_key: str | None, kind: str | None, body: dict[str, Any]) -> Event:
    """The event in a message, by its routing key or, where that is a queue's name, by its CloudEvents type.

    Raises InvalidMessageError for an unknown one and ValidationError for a body that is not what its type says.
    """
    return _model(routing_key, kind, body).model_validate(body)


def _model(routing_key: str | None, kind: str | None, body: Mapping[str, Any]) -> type[Event]:
    model = _BY_KEY.get(routing_key or "") or _BY_KEY.get(kind or "")
    if model is not None:
        return model
    # Dead letters of versions that did not keep the routing key: other systems' messages, which may say nothing else,
    # are submissions. Of our own events only `source.ingested` has a source as well, and all of ours have a type.
    if isinstance(body.get("source"), dict) and "facts" not in body:
        return JobSubmitted
    raise InvalidMessageError(f"no event {routing_key!r} / {kind!r}")


def _routing_key(message: AbstractIncomingMessage) -> str | None:
    return routing_key_of(message.headers or {}, message.routing_key, PROGRESS.name)


def _kind(message: AbstractIncomingMessage, content: Content) -> str | None:
    return attribute(message.headers or {}, "type") or message.type or content.kind
