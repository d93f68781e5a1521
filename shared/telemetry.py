"""Traces by the standard OTEL_* variables, and JSON logs that carry the ids of the trace (OPS-2, OPS-3)."""

import logging
import os
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from opentelemetry import trace
from opentelemetry.instrumentation.pymongo import PymongoInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

# A collector that is down must not hold up the end of a process; the exporter's own default is ten seconds a try.
_EXPORT_TIMEOUT = ("OTEL_EXPORTER_OTLP_TIMEOUT", "1")


def start_tracing(service: str) -> TracerProvider:
    """Set the process's tracer provider. Spans leave it only where an OTLP endpoint is set.

    Trace ids exist in any case: they tie log lines, events and answers of the API together.
    """
    provider = TracerProvider(resource=Resource.create({"service.name": f"lectern-{service}"}))
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 -- 60 ms nobody needs
            OTLPSpanExporter,
        )

        os.environ.setdefault(*_EXPORT_TIMEOUT)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        PymongoInstrumentor().instrument(tracer_provider=provider)
    trace.set_tracer_provider(provider)
    return provider


def current_trace_id() -> str | None:
    """The trace id at hand, 32 hexadecimal digits."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None


def _add_trace_ids(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        entry["trace_id"] = trace.format_trace_id(context.trace_id)
        entry["span_id"] = trace.format_span_id(context.span_id)
    return entry


def start_logging(service: str, level: str) -> None:
    """One JSON object a line on standard error, for structlog and for the standard library's loggers alike."""

    def add_service(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        entry["service"] = service
        return entry

    common: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_service,
        _add_trace_ids,
    ]
    structlog.configure(
        processors=[*common, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*common, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy in (
        "aio_pika",
        "aiormq",
        "pymongo",
        "botocore",
        "httpx",
        "faster_whisper",
        "uvicorn.access",
        "fontTools",
    ):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
