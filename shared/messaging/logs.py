"""Puts the job and the stage of the message at hand into every log line of its handler (OPS-2)."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aio_pika import IncomingMessage
from faststream import BaseMiddleware
from faststream.message import StreamMessage
from opentelemetry import trace


class LogContextMiddleware(BaseMiddleware[Any, Any]):
    """Binds `job_id` and `queue` for the time of one message, and names the job on its span."""

    async def consume_scope(
        self, call_next: Callable[[StreamMessage[IncomingMessage]], Awaitable[Any]], msg: StreamMessage[IncomingMessage]
    ) -> Any:
        """Call the handler with the names bound."""
        job_id = job_of(msg.raw_message.body)
        queue = self.context.get("handler_").queue.name
        trace.get_current_span().set_attribute("lectern.job_id", job_id or "")
        with structlog.contextvars.bound_contextvars(job_id=job_id, queue=queue):
            return await call_next(msg)


def job_of(body: bytes) -> str | None:
    """The job a message's body speaks of; None where it does not."""
    job_id = _content(body).get("job_id")
    return job_id if isinstance(job_id, str) and len(job_id) <= 64 and job_id.isascii() else None


def run_of_body(body: bytes) -> int:
    """The run of the job that a message's body speaks of; 1 where it does not say."""
    run = _content(body).get("run")
    return run if isinstance(run, int) and 1 <= run <= 1000 else 1


def _content(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):  # ValueError: no JSON, no UTF-8, or a number of thousands of digits
        return {}
    if isinstance(content, dict) and isinstance(content.get("data"), dict):
        content = content["data"]
    return content if isinstance(content, dict) else {}
