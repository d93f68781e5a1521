"""A collector that keeps what it is sent: OTLP over HTTP with protobuf bodies."""

import gzip
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True)
class SeenSpan:
    """What tests ask of a span. Times are nanoseconds since the epoch; `events` are names with their attributes."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    name: str
    kind: str = ""
    began_ns: int = 0
    ended_ns: int = 0
    failed: bool = False
    attributes: Mapping[str, Any] = field(default_factory=dict)
    resource: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    links: tuple[tuple[str, str], ...] = ()

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.ended_ns - self.began_ns) / 1e9


class OtlpReceiver:
    """Listens on a free loopback port while the context lasts."""

    def __init__(self) -> None:
        self._spans: list[SeenSpan] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                receiver._keep(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "OtlpReceiver":
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _keep(self, request: ExportTraceServiceRequest) -> None:
        for sent in request.resource_spans:
            resource = _values(sent.resource.attributes)
            self._spans += [_seen(span, resource) for scope in sent.scope_spans for span in scope.spans]

    def all(self) -> list[SeenSpan]:
        """Every span so far."""
        return list(self._spans)

    def trace(self, trace_id: str) -> list[SeenSpan]:
        """The spans of one trace so far."""
        return [span for span in self.all() if span.trace_id == trace_id]


def _values(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    return {item.key: getattr(item.value, str(item.value.WhichOneof("value"))) for item in attributes}


def _seen(span: Span, resource: Mapping[str, Any]) -> SeenSpan:
    return SeenSpan(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        service=resource.get("service.name", ""),
        name=span.name,
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        began_ns=span.start_time_unix_nano,
        ended_ns=span.end_time_unix_nano,
        failed=span.status.code == 2,
        attributes=_values(span.attributes),
        resource=resource,
        events=tuple((event.name, _values(event.attributes)) for event in span.events),
        links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
    )


def tree(spans: Sequence[SeenSpan]) -> str:
    """A trace as lines: each span below its parent in the order of time, with its service and milliseconds."""
    known = {span.span_id for span in spans}
    below: dict[str, list[SeenSpan]] = {}
    for span in sorted(spans, key=lambda one: one.began_ns):
        below.setdefault(span.parent_id if span.parent_id in known else "", []).append(span)
    lines: list[str] = []

    def add(parent: str, depth: int) -> None:
        for span in below.get(parent, ()):
            mark = "!" if span.failed else " "
            service = span.service.removeprefix("lectern-")
            lines.append(f"{mark}{'  ' * depth}{span.name}  [{service}] {span.seconds * 1000:.0f} ms")
            add(span.span_id, depth + 1)

    add("", 0)
    return "\n".join(lines)
