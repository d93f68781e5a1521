"""Puts the job and the stage of the message at hand into every log line of its handler (OPS-2)."""

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aio_pika import IncomingMessage
from faststream import BaseMiddleware
from faststream.message import StreamMessage
from opentelemetry import trace

from shared.messaging.content import content_of, content_whatever_its_type
from shared.messaging.verdict import UnreadableMessageError


class LogContextMiddleware(BaseMiddleware[Any, Any]):
    """Binds `job_id` and `queue` for the time of one message, and names the job on its span."""

    async def consume_scope(
        self, call_next: Callable[[StreamMessage[IncomingMessage]], Awaitable[Any]], msg: StreamMessage[IncomingMessage]
    ) -> Any:
        """Call the handler with the names bound."""
        job_id = job_of(msg.raw_message.body, msg.raw_message.content_type)
        queue = self.context.get("handler_").queue.name
        trace.get_current_span().set_attribute("lectern.job_id", job_id or "")
        with structlog.contextvars.bound_contextvars(job_id=job_id, queue=queue):
            return await call_next(msg)


def job_of(body: bytes, content_type: str | None = None) -> str | None:
    """The job a message's body speaks of; None where it does not. Ids are in lower case, however they were written."""
    job_id = _data(body, content_type).get("job_id")
    return job_id.lower() if isinstance(job_id, str) and len(job_id) <= 64 and job_id.isascii() else None


def run_of_body(body: bytes, content_type: str | None = None) -> int:
    """The run of the job that a message's body speaks of; 1 where it does not say."""
    run = _data(body, content_type).get("run")
    return run if isinstance(run, int) and 1 <= run <= 1000 else 1


def _data(body: bytes, content_type: str | None) -> dict[str, Any]:
    try:
        return content_of(body, content_type).data
    except UnreadableMessageError:
        content = content_whatever_its_type(body)
        return content.data if content else {}
