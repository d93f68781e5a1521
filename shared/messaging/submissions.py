"""Submissions of other systems that name their job and are wrong otherwise.

The gateway makes a failed job of such a message, which its publisher can look at; ingest lets it go.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aio_pika.abc import AbstractIncomingMessage
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from shared.events import JobId, JobSubmitted
from shared.messaging.content import content_whatever_its_type
from shared.messaging.headers import routing_key_of
from shared.messaging.verdict import MALFORMED, UnreadableMessageError
from shared.messaging.wire import clean

_JOB_ID: TypeAdapter[str] = TypeAdapter(JobId)
_FAULTS_NAMED = 3
_LONGEST = 1000


@dataclass(frozen=True)
class InvalidSubmission:
    """`content` is what could be read; `fault` says in words for its publisher which field is wrong, and how."""

    job_id: str
    content: Mapping[str, Any]
    fault: str


def is_submission(message: AbstractIncomingMessage, queue: str) -> bool:
    """Whether a message in `queue` was published as `job.submitted.v1`."""
    return routing_key_of(message.headers or {}, message.routing_key, queue) == JobSubmitted.routing_key


def invalid_submission(message: AbstractIncomingMessage, error: Exception) -> InvalidSubmission | None:
    """A submission that `error` says is malformed; None where nobody can tell which job it is about."""
    content = content_whatever_its_type(message.body) if isinstance(error, MALFORMED) else None
    job_id = content.data.get("job_id") if content else None
    if content is None or not isinstance(job_id, str):
        return None
    try:
        job_id = _JOB_ID.validate_python(job_id.lower())
    except ValidationError:
        return None
    return InvalidSubmission(job_id, content.data, fault_sentences(error))


def fault_sentences(error: Exception) -> str:
    """What is wrong with a submission, each field by its name. Nothing of what was sent is repeated but its names."""
    if isinstance(error, UnreadableMessageError):
        return clean(f"This submission was not understood: {error}.", _LONGEST)
    if not isinstance(error, ValidationError):
        return "This submission was not understood. Check it against the documented contract."
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    told = [f"`{_place(fault['loc'])}`: {_words(fault)}." for fault in faults[:_FAULTS_NAMED]]
    more = len(faults) - _FAULTS_NAMED
    told += [f"{more} more."] if more > 0 else []
    return clean(" ".join(["This submission is not valid.", *told, "Correct it and submit it again."]), _LONGEST)


def _place(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in loc)[:100]


def _words(fault: ErrorDetails) -> str:
    if fault["type"] == "model_type":  # the library's own words name our class
        return "Input should be an object"
    return fault["msg"].removeprefix("Value error, ").rstrip(".")
