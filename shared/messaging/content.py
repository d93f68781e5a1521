"""What a message says: a JSON object, alone or as a CloudEvent in binary or structured mode (AMQP binding 1.0).

Other systems write these messages. Nothing about them is taken for granted.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message as MimeHeaders
from typing import Any

from shared.messaging.verdict import UnreadableMessageError

JSON = "application/json"
STRUCTURED = "application/cloudevents+json"
# The AMQP binding has the first two; senders that know the HTTP or the Kafka binding write the others.
_ATTRIBUTE_PREFIXES = ("cloudevents_", "cloudevents:", "ce-", "ce_")


@dataclass(frozen=True)
class Content:
    """`data` is what the message says, `kind` its CloudEvents type where the body has one."""

    data: dict[str, Any]
    kind: str | None = None


def content_of(body: bytes, content_type: str | None) -> Content:
    """The content of a message. Raises UnreadableMessageError, which says what is wrong with it."""
    media_type, charset = _media_type(content_type)
    if media_type not in (JSON, STRUCTURED):
        shown = (content_type or "").partition(";")[0].strip()[:100]
        raise UnreadableMessageError(f"content type {shown!r} is not {JSON}")
    parsed = _parsed(body, charset)
    if media_type == STRUCTURED:
        return _unwrapped(_object(parsed))
    return Content(_object(parsed))


def content_whatever_its_type(body: bytes) -> Content | None:
    """The content of a message whose content type is wrong or missing; None where that cannot be read either."""
    try:
        parsed = _object(_parsed(body, None))
        return _unwrapped(parsed) if "data" in parsed or "data_base64" in parsed else Content(parsed)
    except UnreadableMessageError:
        return None


def attribute(headers: Mapping[str, Any], name: str) -> str | None:
    """The CloudEvents attribute `name` of a message in binary mode."""
    wanted = {prefix + name for prefix in _ATTRIBUTE_PREFIXES}
    value = next((value for header, value in headers.items() if header.lower() in wanted), None)
    return str(value) if value else None


def _media_type(content_type: str | None) -> tuple[str, str | None]:
    """The media type in lower case without parameters, and the `charset` parameter."""
    headers = MimeHeaders()
    headers["content-type"] = (content_type or "").replace("\r", " ").replace("\n", " ")
    charset = headers.get_content_charset()
    return (content_type or "").partition(";")[0].strip().lower(), charset


def _parsed(body: bytes, charset: str | None) -> Any:
    try:
        return json.loads(body.decode(charset) if charset else body)
    except (ValueError, LookupError, RecursionError) as error:
        # ValueError: no JSON, other bytes than its encoding has, or a number of thousands of digits.
        raise UnreadableMessageError(f"the body is not JSON: {error}") from error


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UnreadableMessageError("the body is not a JSON object")
    return value


def _unwrapped(event: dict[str, Any]) -> Content:
    """The data of a structured event."""
    data = event.get("data")
    encoded = event.get("data_base64")
    if data is None and isinstance(encoded, str):
        try:
            data = _parsed(base64.b64decode(encoded, validate=True), None)
        except binascii.Error as error:
            raise UnreadableMessageError("data_base64 is not base64") from error
    if not isinstance(data, dict):
        raise UnreadableMessageError("the event's data is not a JSON object")
    kind = event.get("type")
    return Content(data, kind if isinstance(kind, str) else None)
