"""One trace for a job, whoever submitted it.

A message of another system may bring no `traceparent`. Each of its consumers would then begin a trace of its own; so
all derive the same one from the id of its job.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import Decision

from shared.telemetry import trace_context

TRACEPARENT = "traceparent"


def derived_trace_id(job_id: str) -> str:
    """The trace of a job that brought none."""
    return hashlib.sha256(job_id.encode()).hexdigest()[:32]


def derived_traceparent(job_id: str, provider: TracerProvider) -> str:
    """The W3C `traceparent` of a job that brought none; whether it is sampled, the provider's sampler decides.

    Samplers by ratio look at the trace id alone, so every service with the same settings decides alike.
    """
    trace_id = derived_trace_id(job_id)
    span_id = hashlib.sha256(f"span of {job_id}".encode()).hexdigest()[:16]
    decision = provider.sampler.should_sample(Context(), int(trace_id, 16), "job").decision
    return f"00-{trace_id}-{span_id}-{'01' if decision is Decision.RECORD_AND_SAMPLE else '00'}"


def names_trace(headers: Mapping[str, Any]) -> bool:
    """Whether headers, which anybody may have written, name a trace that can be continued."""
    return trace.get_current_span(trace_context(headers)).get_span_context().is_valid


def job_context(job_id: str, traceparent: str | None) -> Context:
    """The trace of a job: the one it brought, or else the one that follows from its id.

    Without a tracer provider of the SDK, which a process has from its start, a job that brought none has none.
    """
    headers = {TRACEPARENT: traceparent}
    provider = trace.get_tracer_provider()
    if not names_trace(headers) and isinstance(provider, TracerProvider):
        headers = {TRACEPARENT: derived_traceparent(job_id, provider)}
    return trace_context(headers)
