"""What the API says about dead letters."""

import base64
import json
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.gateway.trace_url import link_to_trace
from shared.database import Document
from shared.messaging.wire import readable, unpack

_DEEPEST = 60

_SUMMARY: dict[str, JsonValue] = {
    "id": "5f2c9b7a1d3e4f60718293a4-0",
    "state": "buried",
    "queue": "transcription.speech",
    "job_id": "0192f3c4-7a1e-4d3c-9c55-6d1f0a2b3c4d",
    "reason": "attempts-exhausted",
    "code": "engine",
    "public_message": "A processing engine failed on this file.",
    "attempts": 5,
    "replays": 0,
    "replayable": True,
    "buried_at": "2026-03-01T09:47:12.250000Z",
    "size": 912,
    "message_id": "0192f3c4-7a1e-4d3c-9c55-6d1f0a2b3c4d/TranscribeSpeech/3f1c/speech-4",
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "trace_url": "http://localhost:16686/trace/4bf92f3577b34da6a3ce929d0e0e4736",
}


class Answer(BaseModel):
    """Base of what the API returns."""

    model_config = ConfigDict(frozen=True)


class LetterSummary(Answer):
    """A dead letter in a list."""

    model_config = ConfigDict(json_schema_extra={"example": _SUMMARY})

    id: Annotated[str, Field(description="Name of this death of the message.")]
    state: Annotated[
        Literal["buried", "replaying"], Field(description="`replaying`: on its way back; it leaves the list by itself.")
    ]
    queue: Annotated[str, Field(description="The work queue that it died in.")]
    job_id: str | None
    reason: Annotated[
        str,
        Field(
            description="`invalid-message`, `permanent-error`, `attempts-exhausted`, `dependency-unavailable`: a "
            "service gave it up. `delivery-limit`: its worker died or lost its connection every time. `expired`, "
            "`rejected`, `queue-full`: the broker gave it up. `unknown`: nobody said."
        ),
    ]
    code: Annotated[str, Field(description="Kind of the last error, as in a job's `error`.")]
    public_message: Annotated[str, Field(description="What the job's owner was told.")]
    attempts: Annotated[int, Field(description="Failed attempts since it was submitted or replayed.")]
    replays: Annotated[int, Field(description="How often it had been replayed when it died.")]
    replayable: Annotated[bool, Field(description="False where its queue belongs to no service.")]
    buried_at: datetime
    size: Annotated[int, Field(description="Bytes of its body.")]
    message_id: str | None
    trace_id: str | None
    trace_url: Annotated[str | None, Field(description="Page of the trace; null where none is set up.")]


class FailedAttempt(Answer):
    """One failed attempt, in the words of the service."""

    at: str
    queue: str
    attempt: int
    error: Annotated[str, Field(description="Type of the error.")]
    text: str


class LetterBody(Answer):
    """The message as it was. One of the two is null."""

    json_: Annotated[Any, Field(alias="json", description="Its content, where it is JSON.")] = None
    base64: Annotated[str | None, Field(description="Its bytes, where it is not.")] = None
    truncated: Annotated[bool, Field(description="Only the beginning is shown. A replay sends all of it.")] = False


class Letter(LetterSummary):
    """All about a dead letter."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **_SUMMARY,
                "history": [
                    {
                        "at": "2026-03-01T09:35:02.114+00:00",
                        "queue": "transcription.speech",
                        "attempt": 1,
                        "error": "EngineError",
                        "text": "whisper ended with status 139",
                    }
                ],
                "body": {"json": {"job_id": "0192f3c4-7a1e-4d3c-9c55-6d1f0a2b3c4d", "run": 1}, "base64": None},
                "headers": {"x-lectern-reason": "attempts-exhausted"},
                "properties": {"content_type": "application/json"},
            }
        }
    )

    history: Annotated[tuple[FailedAttempt, ...], Field(description="Failed attempts, oldest first, at most 20.")]
    body: LetterBody
    headers: Annotated[dict[str, Any], Field(description="Headers as they came; bytes as `base64`.")]
    properties: Annotated[dict[str, Any], Field(description="AMQP properties of the message.")]


class LetterList(Answer):
    """A page of dead letters, newest first."""

    dead_letters: tuple[LetterSummary, ...]
    cursor: Annotated[str | None, Field(description="Send it as `cursor` for the next page; null on the last one.")]


class Replayed(Answer):
    """What a replay set going."""

    model_config = ConfigDict(json_schema_extra={"example": {"replaying": 12, "unreplayable": 0}})

    replaying: Annotated[int, Field(description="Letters on their way back to their queues.")]
    unreplayable: Annotated[int, Field(description="Letters left buried: their queue belongs to no service.")] = 0


class Purged(Answer):
    """What was thrown away."""

    model_config = ConfigDict(json_schema_extra={"example": {"purged": 12}})

    purged: Annotated[int, Field(description="Letters thrown away for good.")]


def _common(document: Document, trace_url: str | None) -> dict[str, Any]:
    names = set(LetterSummary.model_fields) - {"id", "message_id", "trace_url"}
    return {
        **{name: document[name] for name in names},
        "id": document["_id"],
        "message_id": document["properties"]["message_id"],
        "trace_url": link_to_trace(trace_url, document["trace_id"]),
    }


def summary_of(document: Document, trace_url: str | None) -> LetterSummary:
    """A document of a list, with or without its body. `trace_url` has `{trace_id}` where that belongs."""
    return LetterSummary.model_validate(_common(document, trace_url))


def letter_of(document: Document, trace_url: str | None) -> Letter:
    """A whole document."""
    return Letter.model_validate(
        {
            **_common(document, trace_url),
            "history": document["history"],
            "body": body_of(bytes(document["body"]), truncated=document["stored"]),
            "headers": readable(unpack(bytes(document["headers"]))),
            "properties": readable(
                {name: value for name, value in document["properties"].items() if value is not None}
            ),
        }
    )


def body_of(body: bytes, *, truncated: bool = False) -> LetterBody:
    """The body for a person: JSON where it is some that can be said again, else base64."""
    if not truncated:
        try:
            content = json.loads(body)
            json.dumps(content, allow_nan=False, ensure_ascii=False).encode()  # half a surrogate pair cannot be sent
        except (ValueError, RecursionError):
            pass
        else:
            if body.strip() != b"null" and _is_flat(content):
                return LetterBody(json=content)
    return LetterBody(base64=base64.b64encode(body).decode(), truncated=truncated)


def _is_flat(content: Any, depth: int = 0) -> bool:
    inner = content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()
    return depth < _DEEPEST and all(_is_flat(part, depth + 1) for part in inner)
