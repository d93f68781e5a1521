"""What a service tells an engineer: traces by the standard OTEL_* variables, and log lines that belong to them."""

from shared.telemetry.gather import gathering
from shared.telemetry.logs import start_logging
from shared.telemetry.traces import (
    current_trace_id,
    failed,
    note_work,
    span,
    span_contexts,
    start_tracing,
    trace_context,
    traceparent,
)
from shared.telemetry.work import current_work, unit_at_work, unit_of, work_on

__all__ = [
    "current_trace_id",
    "current_work",
    "failed",
    "gathering",
    "note_work",
    "span",
    "span_contexts",
    "start_logging",
    "start_tracing",
    "trace_context",
    "traceparent",
    "unit_at_work",
    "unit_of",
    "work_on",
]
