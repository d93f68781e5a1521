"""The spans of messages on a real broker: one trace through failures, retries and dead letters (OPS-3)."""

import asyncio
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, format_span_id, format_trace_id

from shared.errors import EngineError
from shared.events import JobSubmitted
from shared.messaging.job_trace import derived_traceparent
from shared.messaging.topology import SUBMISSIONS
from shared.settings import SharedSettings
from shared.telemetry.traces import tracer_provider
from tests.integration.shared.consuming import EVENT, publish_raw, running, take

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HEADERS = {"traceparent": f"00-{TRACE}-{SPAN}-01", "x-lectern-owner": "ada"}
BODY = EVENT.model_dump_json().encode()


@pytest.fixture
def provider() -> Iterator[tuple[TracerProvider, InMemorySpanExporter]]:
    found = tracer_provider("test")
    exporter = InMemorySpanExporter()
    found.add_span_processor(SimpleSpanProcessor(exporter))
    yield found, exporter
    found.shutdown()


def parent_of(span: ReadableSpan) -> str:
    return format_span_id(span.parent.span_id) if span.parent else ""


async def test_a_retried_message_is_one_trace_that_says_what_happened(
    settings: SharedSettings, amqp_url: str, provider: tuple[TracerProvider, InMemorySpanExporter]
) -> None:
    done = asyncio.Event()
    calls = 0

    async def handler(_event: JobSubmitted) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise EngineError("/secret/path broke")
        done.set()

    async with running(settings, handler, provider=provider[0]):
        await publish_raw(amqp_url, BODY, headers=HEADERS, content_type="application/json", message_id="m-1")
        await asyncio.wait_for(done.wait(), 20)
    spans = sorted(provider[1].get_finished_spans(), key=lambda span: span.start_time or 0)
    assert {format_trace_id(span.context.trace_id) for span in spans if span.context} == {TRACE}
    first, republished, second = spans
    assert [span.name for span in spans] == [
        "process ingest.submissions",
        republished.name,
        "process ingest.submissions",
    ]
    assert republished.name.startswith("publish lectern.retry.")
    assert [span.kind for span in spans] == [SpanKind.CONSUMER, SpanKind.PRODUCER, SpanKind.CONSUMER]
    assert parent_of(first) == SPAN
    assert first.context is not None
    assert parent_of(republished) == format_span_id(first.context.span_id)
    assert republished.context is not None
    assert parent_of(second) == format_span_id(republished.context.span_id)

    assert not first.status.is_ok
    assert second.status.is_unset
    events = {event.name: dict(event.attributes or {}) for event in first.events}
    assert events["exception"]["exception.type"] == "shared.errors.EngineError"
    assert events["retry"]["lectern.reason"] == "retry"
    assert events["retry"]["lectern.retry.delay_s"] == settings.retry_delays_s[0]
    for attempt, span in ((1, first), (2, second)):
        said = dict(span.attributes or {})
        assert said["lectern.attempt"] == attempt
        assert said["lectern.job.id"] == EVENT.job_id
        assert said["lectern.owner"] == "ada"
        assert (said["lectern.run"], said["lectern.stage"]) == (1, "ingest")
        assert (said["messaging.operation.type"], said["messaging.system"]) == ("process", "rabbitmq")
        assert said["messaging.message.id"] == "m-1"
    resource = dict(first.resource.attributes)
    assert resource["service.name"] == "lectern-test"
    assert resource["service.version"]
    assert resource["service.instance.id"]


async def test_a_message_that_brings_no_trace_is_in_the_one_that_follows_from_its_job(
    settings: SharedSettings, amqp_url: str, provider: tuple[TracerProvider, InMemorySpanExporter]
) -> None:
    done = asyncio.Event()

    async def handler(_event: JobSubmitted) -> None:
        done.set()

    async with running(settings, handler, provider=provider[0]):
        await publish_raw(amqp_url, BODY, headers={}, content_type="application/json")
        await asyncio.wait_for(done.wait(), 20)
    (processed,) = provider[1].get_finished_spans()
    assert processed.context is not None
    trace = derived_traceparent(EVENT.job_id, provider[0]).split("-")[1]
    assert format_trace_id(processed.context.trace_id) == trace


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"no JSON", HEADERS),
        (b"[1]", {"traceparent": 7, "x-lectern-owner": ["ada"]}),
        (b'{"job_id": 7, "owner": {}, "run": true, "unit": 1}', {"traceparent": "00-0-0-zz"}),
    ],
)
async def test_an_unreadable_message_is_seen_in_a_trace_as_well(
    settings: SharedSettings,
    amqp_url: str,
    provider: tuple[TracerProvider, InMemorySpanExporter],
    body: bytes,
    headers: dict[str, object],
) -> None:
    async def handler(_event: JobSubmitted) -> None:
        pytest.fail("it was handled")

    async with running(settings, handler, provider=provider[0]):
        await publish_raw(amqp_url, body, headers=headers, content_type="application/json")
        buried = await take(amqp_url, SUBMISSIONS.dead_letters)
    received, dead = sorted(provider[1].get_finished_spans(), key=lambda span: span.start_time or 0)
    assert received.context is not None
    assert dead.context is not None
    assert received.context.trace_id == dead.context.trace_id
    assert [event.name for event in received.events] == ["exception", "dead letter"]
    assert dead.name == "publish lectern.dead-letters"
    # Whoever reads the dead letter goes on in the same trace.
    assert format_trace_id(dead.context.trace_id) in str(buried.headers["traceparent"])


async def test_a_publication_outside_of_a_trace_begins_none(
    settings: SharedSettings, amqp_url: str, provider: tuple[TracerProvider, InMemorySpanExporter]
) -> None:
    async def handler(_event: JobSubmitted) -> None:
        return

    async with running(settings, handler, provider=provider[0]) as broker:
        await broker.publish(b"{}", queue="lectern.elsewhere", content_type="application/json", mandatory=False)
    assert provider[1].get_finished_spans() == ()
