"""One span for what belongs together: a result's objects and its checkpoint, an event and its read model's write."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from types import TracebackType

from opentelemetry import trace
from opentelemetry.trace import SpanKind
from opentelemetry.util.types import AttributeValue

from shared.telemetry.traces import TRACER, failed, tracing

_GATHERED: ContextVar["gathering | None"] = ContextVar("lectern_gathered", default=None)


class Sums:
    """Attributes of a span that are sums of what happened inside it."""

    def __init__(self, span: trace.Span) -> None:
        self.span = span
        self._sums: dict[str, float] = {}

    def add(self, name: str, value: float) -> None:
        """Add to the sum that the span has as the attribute `name`."""
        self._sums[name] = round(self._sums.get(name, 0) + value, 6)
        self.span.set_attribute(name, self._sums[name])


class gathering:  # noqa: N801 -- a context manager; a class, because only `__exit__` sees every error without catching it
    """Lets what is stored and written while the context lasts be told on one span instead of making its own.

    The span begins, as `name`, with the first of it, and ends with the context, also by its error. It is no parent of
    other spans. With `onto` it is that span, which others begin and end. Without a trace at hand there is none.
    """

    def __init__(self, name: str = "", *, onto: trace.Span | None = None) -> None:
        self._name = name
        self._onto = onto
        self._begun: Sums | None = None
        self._token: Token[gathering | None] | None = None

    def __enter__(self) -> None:
        self._token = _GATHERED.set(self)

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            _GATHERED.reset(self._token)
        if self._begun is None or self._onto is not None:
            return
        if error is not None:
            failed(self._begun.span, error)
        self._begun.span.end()

    def sums(self) -> Sums:
        """The sums of the span, which is begun now unless it was before."""
        if self._begun is None:
            own = TRACER.start_span(self._name, kind=SpanKind.CLIENT) if tracing() else trace.INVALID_SPAN
            self._begun = Sums(self._onto or own)
        return self._begun


@contextmanager
def told_with_others(attributes: Mapping[str, AttributeValue | None], seconds: str) -> Iterator[Sums | None]:
    """The sums of the gathering at hand, if there is one; it then has `attributes`, and the time taken in `seconds`."""
    here = _GATHERED.get()
    if here is None:
        yield None
        return
    sums = here.sums()
    sums.span.set_attributes({name: value for name, value in attributes.items() if value is not None})
    began_s = time.monotonic()
    try:
        yield sums
    finally:
        sums.add(seconds, time.monotonic() - began_s)
