"""The span of an engine says what its process did and met, and the programs that it ran have spans (OPS-3)."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Tracer

from shared import engine_span
from shared.engine_limits import MB, EngineLimits
from shared.engine_process import EngineProcess
from shared.errors import EngineLimitError
from shared.telemetry import gather
from shared.telemetry.gather import gathering, told_with_others
from shared.telemetry.traces import tracer_provider
from shared.time_limits import TimeLimits

LONG = TimeLimits.of(60)


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return importlib.import_module("limit_functions")


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tracer]:
    provider = tracer_provider("test")
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    found = provider.get_tracer("test")
    monkeypatch.setattr(engine_span, "TRACER", found)
    monkeypatch.setattr(gather, "TRACER", found)
    yield found
    provider.shutdown()


def by_name(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


async def test_programs_of_an_engine_are_spans_at_the_times_when_they_ran(
    tracer: Tracer, exporter: InMemorySpanExporter, functions: ModuleType
) -> None:
    engine = EngineProcess()
    with tracer.start_as_current_span("engine"):
        assert await engine.run(LONG, functions.run_programs) == "y\n"
        await engine.run(LONG, functions.pid)  # runs none: they are told once
    engine.kill()
    spans = by_name(exporter)
    assert len(exporter.get_finished_spans()) == len(spans) == 4
    call = spans.pop("engine")
    assert call.context is not None
    said = {name: dict(span.attributes or {}) for name, span in spans.items()}
    assert said.keys() == {"run sh", "run sleep", "run yes"}
    assert (said["run sh"]["lectern.program.runs"], said["run sh"]["lectern.program.failures"]) == (2, 1)
    assert said["run sh"]["process.exit.code"] == 3
    assert said["run sleep"]["process.exit.code"] == -9
    assert said["run yes"]["process.exit.code"] == 0, "nobody wanted more of it"
    for span in spans.values():
        assert span.parent is not None
        assert span.parent.span_id == call.context.span_id
        assert (call.start_time or 0) < (span.start_time or 0) < (span.end_time or 0) < (call.end_time or 0)
    sleep = spans["run sleep"]
    assert 0.1e9 <= (sleep.end_time or 0) - (sleep.start_time or 0) < 10e9


async def test_the_span_of_an_engine_says_its_memory_its_start_and_the_limit_that_it_met(
    tracer: Tracer, exporter: InMemorySpanExporter, functions: ModuleType
) -> None:
    engine = EngineProcess(limits=EngineLimits(memory_bytes=150 * MB))
    with tracer.start_as_current_span("first"):
        await engine.run(LONG, functions.pid)
    with tracer.start_as_current_span("second"):
        await engine.run(LONG, functions.hold, 60, 0.3)
        await engine.run(LONG, functions.pid)
    with pytest.raises(EngineLimitError), tracer.start_as_current_span("third"):
        await engine.run(LONG, functions.take, 400)
    engine.kill()
    first, second, third = (dict(span.attributes or {}) for span in exporter.get_finished_spans())
    assert first["lectern.engine.started"] is True
    assert "lectern.engine.started" not in second
    assert second["lectern.engine.peak_mb"] >= 60, "the most of both calls"  # type: ignore[operator]  # a number
    assert "lectern.engine.limit" not in second
    assert third["lectern.engine.limit"] == "memory"
    assert third["process.exit.code"] == -9


def test_what_keeps_a_result_is_one_span(tracer: Tracer, exporter: InMemorySpanExporter) -> None:
    with tracer.start_as_current_span("unit"), gathering("checkpoint speech"):
        with told_with_others({"lectern.storage.system": "s3"}, "lectern.storage.put_s") as sums:
            assert sums is not None
            sums.add("lectern.storage.objects", 2)
        with told_with_others({"db.collection.name": "checkpoints"}, "lectern.database.write_s"):
            pass
    spans = by_name(exporter)
    said = dict(spans["checkpoint speech"].attributes or {})
    assert len(spans) == 2
    assert said["lectern.storage.objects"] == 2
    assert said["db.collection.name"] == "checkpoints"
    assert {"lectern.storage.put_s", "lectern.database.write_s"} <= said.keys()
    assert said["lectern.storage.system"] == "s3"


def test_the_span_that_keeps_a_result_fails_by_what_failed(tracer: Tracer, exporter: InMemorySpanExporter) -> None:
    def fail() -> None:
        with gathering("checkpoint speech"):
            with told_with_others({}, "lectern.storage.put_s"):
                pass
            raise OSError("no space")

    with tracer.start_as_current_span("unit"), pytest.raises(OSError, match="no space"):
        fail()
    kept = by_name(exporter)["checkpoint speech"]
    assert not kept.status.is_ok
    assert [event.name for event in kept.events] == ["exception"]


def test_nothing_kept_or_no_trace_is_no_span(tracer: Tracer, exporter: InMemorySpanExporter) -> None:
    with tracer.start_as_current_span("unit"), gathering("checkpoint speech"):
        pass
    with gathering("checkpoint speech"), told_with_others({}, "lectern.storage.put_s"):
        pass
    assert by_name(exporter).keys() == {"unit"}
    with told_with_others({}, "lectern.storage.put_s") as sums:
        assert sums is None, "without a gathering whoever stores makes a span"
