"""One span a message received and one a message sent, in the trace of the job that both are about (OPS-3).

Attributes and kinds are those of OpenTelemetry's messaging conventions. The span of a received message is open from
before it is read until after its failure is settled, so that an unreadable one is seen as well.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from aio_pika import IncomingMessage
from faststream import BaseMiddleware
from faststream.rabbit.response import RabbitPublishCommand
from opentelemetry import propagate
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, Tracer

from shared.events import OWNER as OWNER_PATTERN
from shared.events import STAGES, JobSubmitted
from shared.messaging.headers import ATTEMPT, OWNER, number
from shared.messaging.job_trace import TRACEPARENT, derived_traceparent, names_trace
from shared.messaging.logs import said_of_job
from shared.messaging.topology import EVENTS_EXCHANGE, PROGRESS
from shared.telemetry import current_work, span, span_contexts, trace_context, work_on
from shared.telemetry.traces import tell_root

_OWNER = re.compile(OWNER_PATTERN)


class TracingMiddleware(BaseMiddleware[Any, Any]):
    """Opens the spans, and says for them and for log lines what the work is about.

    Construct through `tracing_middleware`.
    """

    provider: TracerProvider
    tracer: Tracer
    server: Mapping[str, str | int]

    def __init__(self, msg: Any | None, /, *, context: Any) -> None:
        super().__init__(msg, context=context)
        self._scope = ExitStack()

    async def on_receive(self) -> None:
        """Begin, before the message is parsed: what cannot be read is settled in the trace of its job as well."""
        message: IncomingMessage = self.msg
        queue: str = self.context.get("handler_").queue.name
        work = work_of(message, queue)
        rootless = work["job_id"] is not None and not names_trace(message.headers)
        if rootless:
            # It stands in the headers from here on: retries, dead letters and replays keep it.
            message.headers[TRACEPARENT] = derived_traceparent(str(work["job_id"]), self.provider)
        self._scope.enter_context(work_on(**work))
        if rootless and _is_news(message, queue):
            self._tell_root(message)
        self._scope.enter_context(
            span(
                f"process {queue}",
                {**_received(message, queue), **self.server},
                kind=SpanKind.CONSUMER,
                parent=trace_context(message.headers),
                tracer=self.tracer,
            )
        )

    def _tell_root(self, message: IncomingMessage) -> None:
        """The span that all consumers of another system's message have as their parent."""
        (ids,) = span_contexts([str(message.headers[TRACEPARENT])])
        if ids.trace_flags.sampled:
            about = {**_sent(message.exchange or "", message.routing_key or "", message.message_id), **self.server}
            tell_root("submission by event", ids, about, self.tracer)

    async def after_processed(
        self,
        exc_type: type[BaseException] | None = None,
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,
    ) -> bool | None:
        """End. A failure that was settled is not seen here; whoever settled it told the span."""
        self._scope.__exit__(exc_type, exc_val, exc_tb)
        return False

    async def publish_scope(
        self, call_next: Callable[[RabbitPublishCommand], Awaitable[Any]], cmd: RabbitPublishCommand
    ) -> Any:
        """Send a message inside the trace at hand."""
        exchange = cmd.exchange.name if cmd.exchange is not None else ""
        with sending(exchange, cmd.destination, cmd.message_options.get("message_id"), self.server, tracer=self.tracer):
            cmd.headers = {**(cmd.headers or {}), **trace_headers()}
            return await call_next(cmd)


def tracing_middleware(provider: TracerProvider, amqp_url: str) -> type[TracingMiddleware]:
    """The middleware of a broker at this address. Its spans come from `provider`."""
    url = urlsplit(amqp_url)
    server = {"server.address": url.hostname or "localhost", "server.port": url.port or 5672}
    tracer = provider.get_tracer("lectern.messaging")
    return type(
        "ConfiguredTracingMiddleware",
        (TracingMiddleware,),
        {"provider": provider, "server": server, "tracer": tracer},
    )


def sending(
    exchange: str,
    routing_key: str,
    message_id: str | None,
    about: Mapping[str, str | int],
    *,
    verb: str = "publish",
    **more: Any,
) -> span:
    """The span of a message that is sent, with what else there is to say `about` it. `more` is for `span`."""
    shown = routing_key if exchange in ("", EVENTS_EXCHANGE.name) else exchange
    attributes = {**_sent(exchange, routing_key, message_id), **about}
    return span(f"{verb} {shown}", attributes, kind=SpanKind.PRODUCER, **more)


def _sent(exchange: str, routing_key: str, message_id: str | None) -> dict[str, str | int]:
    return {
        "messaging.system": "rabbitmq",
        "messaging.operation.name": "publish",
        "messaging.operation.type": "send",
        "messaging.destination.name": ":".join(filter(None, (exchange, routing_key))),
        "messaging.rabbitmq.destination.routing_key": routing_key,
        **({"messaging.message.id": message_id} if message_id else {}),
    }


def _is_news(message: IncomingMessage, queue: str) -> bool:
    """Whether it is a submission that reaches the one queue to which every event comes, for the first time."""
    submitted = message.routing_key == JobSubmitted.routing_key
    return submitted and queue == PROGRESS.name and not message.redelivered


def trace_headers() -> dict[str, str]:
    """The headers that let who receives a message go on in this trace, and name the owner of its job."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    owner = current_work().get("owner")
    return {**carrier, **({OWNER: str(owner)} if owner else {})}


def work_of(message: IncomingMessage, queue: str) -> dict[str, str | int | None]:
    """What a message says of the work: its body may be anything."""
    said = said_of_job(message.body, message.content_type)
    service = queue.partition(".")[0]
    owner = (message.headers or {}).get(OWNER, said.owner)
    if owner is None and message.routing_key == JobSubmitted.routing_key:
        owner = JobSubmitted.model_fields["owner"].default
    return {
        "job_id": said.job_id,
        "owner": owner if isinstance(owner, str) and _OWNER.match(owner) else None,
        "run": said.run,
        "stage": service if service in STAGES else said.stage,
        "unit": said.unit,
        "attempt": number(message.headers or {}, ATTEMPT) + 1,
        "queue": queue,
    }


def _received(message: IncomingMessage, queue: str) -> dict[str, str | int | None]:
    exchange, key = message.exchange or "", message.routing_key or ""
    return {
        "messaging.system": "rabbitmq",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": ":".join(filter(None, (exchange, key if key != queue else "", queue))),
        "messaging.rabbitmq.destination.routing_key": key,
        "messaging.rabbitmq.message.delivery_tag": message.delivery_tag,
        "messaging.message.id": message.message_id,
        "messaging.message.conversation_id": message.correlation_id,
        "messaging.message.body.size": len(message.body),
    }
