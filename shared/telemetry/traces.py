"""Spans: what they say of themselves, and where they are sent, which the standard OTEL_* variables decide (OPS-3)."""

import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from types import TracebackType
from typing import Any

from opentelemetry import context, propagate, trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.span import TraceState
from opentelemetry.util.types import AttributeValue

import shared
from shared.telemetry.work import Value, add_to_work, current_work

# A collector that is down must not hold up the end of a process; the exporter's own default is ten seconds a try.
_EXPORT_TIMEOUT = ("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
# Of the libraries that still know older conventions as well.
_STABLE_CONVENTIONS = ("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database,messaging")
_NAMES = {name: f"lectern.{name}" for name in ("owner", "stage", "unit", "attempt", "run")} | {
    "job_id": "lectern.job.id"
}
_FIELDS = ("traceparent", "tracestate")
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_RECORDED = "lectern_recorded"
_TEXT = 300

_CHOSEN: ContextVar[SpanContext | None] = ContextVar("lectern_span_ids", default=None)

TRACER = trace.get_tracer("lectern")


def start_tracing(service: str) -> TracerProvider:
    """Set the process's tracer provider. Spans leave it only where an OTLP endpoint is set.

    Trace ids exist in any case: they tie log lines, events and answers of the API together.
    """
    provider = tracer_provider(service)
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 -- 60 ms nobody needs
            OTLPSpanExporter,
        )

        os.environ.setdefault(*_EXPORT_TIMEOUT)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider


def tracer_provider(service: str) -> TracerProvider:
    """A provider whose spans say what the work is about, and go nowhere yet."""
    provider = TracerProvider(resource=_resource(service), id_generator=_ChosenIds())
    provider.sampler = QuietReads(provider.sampler)
    provider.add_span_processor(_WorkAttributes())
    return provider


def choose_stable_conventions() -> None:
    """Have libraries name attributes as the stable conventions do. Call it before the first of them is instrumented."""
    os.environ.setdefault(*_STABLE_CONVENTIONS)


def _resource(service: str) -> Resource:
    return Resource.create(
        {
            "service.name": f"lectern-{service}",
            "service.version": shared.__version__,
            "service.instance.id": str(uuid.uuid4()),
        }
    )


class _ChosenIds(RandomIdGenerator):
    """Random ids, but for the root of a trace that follows from something."""

    def generate_trace_id(self) -> int:
        chosen = _CHOSEN.get()
        return chosen.trace_id if chosen else super().generate_trace_id()

    def generate_span_id(self) -> int:
        chosen = _CHOSEN.get()
        return chosen.span_id if chosen else super().generate_span_id()


def tell_root(name: str, ids: SpanContext, attributes: Mapping[str, AttributeValue], tracer: trace.Tracer) -> None:
    """A span of no length with these ids: the root that others already name as their parent."""
    token = _CHOSEN.set(ids)
    try:
        tracer.start_span(name, Context(), kind=SpanKind.PRODUCER, attributes=attributes).end()
    finally:
        _CHOSEN.reset(token)


class _WorkAttributes(SpanProcessor):
    """Names job, stage, unit, attempt and run on every span, whoever begins it."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 -- the base's signature
        for name, value in current_work().items():
            if name in _NAMES:
                span.set_attribute(_NAMES[name], value)

    def on_end(self, span: ReadableSpan) -> None:
        pass


class QuietReads(Sampler):
    """Records no request that only reads, unless its caller has a trace that it belongs to.

    Pages and clients look every second how far a job is: there would be more of their spans than of all the work.
    """

    def __init__(self, others: Sampler) -> None:
        self._others = others

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Mapping[str, AttributeValue] | None = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Drop what only reads; what else there is, the sampler that OTEL_TRACES_SAMPLER names decides."""
        method = (attributes or {}).get("http.request.method")
        of_its_own = not trace.get_current_span(parent_context).get_span_context().is_valid
        if kind is SpanKind.SERVER and method in _READS and of_its_own:
            return SamplingResult(Decision.DROP)
        return self._others.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        """What it does."""
        return f"QuietReads({self._others.get_description()})"


def note_work(**known: Value | None) -> None:
    """Add what has been learned of the work at hand, also to its span, which began before that was known."""
    add_to_work(**known)
    here = trace.get_current_span()
    for name, value in known.items():
        if value is not None and name in _NAMES:
            here.set_attribute(_NAMES[name], value)


def tracing() -> bool:
    """Whether there is a trace at hand."""
    return trace.get_current_span().get_span_context().is_valid


def current_trace_id() -> str | None:
    """The trace id at hand, 32 hexadecimal digits."""
    found = trace.get_current_span().get_span_context()
    return trace.format_trace_id(found.trace_id) if found.is_valid else None


def traceparent() -> str | None:
    """The span at hand as W3C writes it, for others to continue or to link to."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent")


def span_contexts(traceparents: Iterable[str]) -> list[SpanContext]:
    """The spans that `traceparents` name, without those that cannot be read."""
    found = (trace_context({"traceparent": named}) for named in traceparents)
    contexts = [trace.get_current_span(one).get_span_context() for one in found]
    return [one for one in contexts if one.is_valid]


def trace_context(headers: Mapping[str, Any]) -> Context:
    """The trace that headers name; an empty one where they name none. Anybody may have written them."""
    carrier = {name: value for name in _FIELDS if isinstance(value := headers.get(name), str)}
    return propagate.extract(carrier, context=Context())


class span:  # noqa: N801 -- a context manager; a class, because only `__exit__` sees every error without catching it
    """A span of the trace at hand while the context lasts; without a trace at hand there is none, and nothing happens.

    So what sweepers, checks and polls do makes no spans. With `parent` there is one in any case. An error that leaves
    the context fails the span; it is recorded on the innermost span alone, which is where it happened. `expected` are
    errors that are an answer rather than a failure.
    """

    def __init__(
        self,
        name: str,
        attributes: Mapping[str, AttributeValue | None] | None = None,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        links: Sequence[SpanContext] = (),
        parent: Context | None = None,
        tracer: trace.Tracer = TRACER,
        expected: tuple[type[BaseException], ...] = (),
    ) -> None:
        self._name = name
        self._attributes = {key: value for key, value in (attributes or {}).items() if value is not None}
        self._kind = kind
        self._links = [Link(link) for link in links]
        self._parent = parent
        self._tracer = tracer
        self._expected = expected
        self._token: Any = None

    def __enter__(self) -> trace.Span:
        if self._parent is None and not tracing():
            self._span: trace.Span = trace.INVALID_SPAN
            return self._span
        self._span = self._tracer.start_span(
            self._name, self._parent, kind=self._kind, attributes=self._attributes, links=self._links
        )
        self._token = context.attach(trace.set_span_in_context(self._span, self._parent))
        return self._span

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._token is None:
            return
        context.detach(self._token)
        if error is not None and not isinstance(error, self._expected):
            failed(self._span, error)
        self._span.end()


def failed(failing: trace.Span, error: BaseException) -> None:
    """Let a span say that it failed with `error`, or that it was ended before it could finish."""
    if not isinstance(error, Exception) or getattr(error, "unwanted", False):
        failing.set_attribute("lectern.stopped", type(error).__name__)
        return
    failing.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {str(error)[:_TEXT]}"))
    failing.set_attribute("error.type", type(error).__name__)
    if not getattr(error, _RECORDED, False):
        failing.record_exception(error)
        with suppress(AttributeError, TypeError):  # an error of a kind that cannot be marked
            setattr(error, _RECORDED, True)
