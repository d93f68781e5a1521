"""One trace for a job, whoever submitted it.

A message of another system may bring no `traceparent`. Each of its consumers would then begin a trace of its own; so
all derive the same one from the id of its job. It stands in the headers from then on: retries, dead letters and
replays keep it.
"""

import hashlib
from typing import Any

from aio_pika import IncomingMessage
from faststream import BaseMiddleware
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.messaging.logs import job_of

TRACEPARENT = "traceparent"
_PROPAGATOR = TraceContextTextMapPropagator()


def derived_traceparent(job_id: str, provider: TracerProvider) -> str:
    """The W3C `traceparent` of a job that brought none; whether it is sampled, the provider's sampler decides.

    Samplers by ratio look at the trace id alone, so every service with the same settings decides alike.
    """
    trace_id = hashlib.sha256(job_id.encode()).hexdigest()[:32]
    span_id = hashlib.sha256(f"span of {job_id}".encode()).hexdigest()[:16]
    decision = provider.sampler.should_sample(Context(), int(trace_id, 16), "job").decision
    return f"00-{trace_id}-{span_id}-{'01' if decision is Decision.RECORD_AND_SAMPLE else '00'}"


class JobTraceMiddleware(BaseMiddleware[Any, Any]):
    """Gives a message without a trace that of its job. Construct through `job_trace_middleware`; outermost of all."""

    provider: TracerProvider

    async def on_receive(self) -> None:
        """Before the message is parsed, so that what cannot be read is settled in the same trace."""
        message: IncomingMessage | None = self.msg
        if message is None or _has_trace(message.headers.get(TRACEPARENT)):
            return
        job_id = job_of(message.body, message.content_type)
        if job_id:
            message.headers[TRACEPARENT] = derived_traceparent(job_id, self.provider)


def _has_trace(traceparent: object) -> bool:
    context = _PROPAGATOR.extract({TRACEPARENT: str(traceparent)}, Context())
    return trace.get_current_span(context).get_span_context().is_valid


def job_trace_middleware(provider: TracerProvider) -> type[JobTraceMiddleware]:
    """The middleware with the sampler of `provider`."""
    return type("ConfiguredJobTraceMiddleware", (JobTraceMiddleware,), {"provider": provider})
