"""One job, one trace, and every log line in it: whoever submitted the job, and whatever became of it (OPS-2, OPS-3).

Five processes on a real broker and database; only the engines do what the job says.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.content import Content
from tests.chaos.ledger import read_ledger
from tests.end_to_end.cheap import workshop
from tests.end_to_end.otlp_receiver import OtlpReceiver, SeenSpan, tree
from tests.end_to_end.system import Lectern, publish_submission, running, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("traces"), pytest.mark.timeout(300)]

STAGES = ("ingest", "transcription", "analysis", "rendering")
# Each pair is a consumer of the pipeline and where the message comes from that it works on.
PIPELINE = (
    ("process ingest.submissions", "publish job.submitted.v1"),
    ("process transcription.sources", "publish source.ingested.v1"),
    ("process transcription.speech", "publish transcription.speech"),
    ("process analysis.documents", "publish source.transcribed.v1"),
    ("process rendering.guides", "publish source.analysed.v1"),
)
SAID = ("job.id", "owner", "stage", "unit", "attempt", "run")


@pytest.fixture(scope="module")
def otlp() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, otlp: OtlpReceiver) -> Iterator[Lectern]:
    home = tmp_path_factory.mktemp("traced") / "home"
    with running(
        home,
        ("tests.end_to_end.cheap", "up", str(home)),
        OTEL_EXPORTER_OTLP_ENDPOINT=otlp.endpoint,
        OTEL_BSP_SCHEDULE_DELAY="200",
        LECTERN_RETRY_DELAYS_S="0.2,0.5",
        LECTERN_SLOW_QUERY_MS="60000",  # a slow machine would log more lines than the tests name
    ) as lectern:
        (home / "objects" / "inbox").mkdir(parents=True, exist_ok=True)
        yield lectern


class Trace:
    """The spans of a job, once none is missing that another names as its parent."""

    def __init__(self, otlp: OtlpReceiver, job: dict[str, Any], *, ends: int = 1) -> None:
        self.job = job
        wait_until(lambda: self._settled(otlp.trace(job["trace_id"]), ends), "a whole trace", 20)
        self.spans = otlp.trace(job["trace_id"])
        self.others = [span for span in otlp.all() if span.trace_id != job["trace_id"]]
        self.by_id = {span.span_id: span for span in self.spans}

    def _settled(self, spans: list[SeenSpan], ends: int) -> bool:
        known = {span.span_id for span in spans}
        told = [span for span in spans if span.name == "publish job.ended.v1"]
        return len(told) >= ends and sum(span.parent_id not in known for span in spans) == 1

    def named(self, name: str) -> list[SeenSpan]:
        return sorted((span for span in self.spans if span.name == name), key=lambda span: span.began_ns)

    def one(self, name: str) -> SeenSpan:
        found = self.named(name)
        assert len(found) == 1, f"{name}\n{tree(self.spans)}"
        return found[0]

    def parent(self, span: SeenSpan) -> str:
        return self.by_id[span.parent_id].name

    @property
    def root(self) -> SeenSpan:
        (root,) = (span for span in self.spans if span.parent_id not in self.by_id)
        return root


def check(trace: Trace, *, root: str) -> None:
    """What holds of every job's trace."""
    shown = tree(trace.spans)
    assert trace.root.name == root, shown
    assert trace.root.parent_id == ""
    assert len(trace.by_id) == len(trace.spans), f"a span was sent twice\n{shown}"
    job_id = trace.job["job_id"]
    stray = [span for span in trace.others if span.attributes.get("lectern.job.id") == job_id]
    assert all(span.service == "lectern-gateway" and span.kind != "consumer" for span in stray), [s.name for s in stray]
    for span in trace.spans:
        stage = span.service.removeprefix("lectern-")
        if stage in STAGES:
            assert span.attributes["lectern.job.id"] == job_id, span
            assert span.attributes["lectern.stage"] == stage
            assert span.attributes["lectern.attempt"] >= 1
            assert span.attributes["lectern.owner"] == "local"
        if span.name.startswith(("checkpoint", "engine", "join")):
            assert span.attributes["lectern.unit"], shown
        if span.kind == "consumer":
            assert span.attributes["messaging.operation.type"] == "process"
            assert trace.by_id[span.parent_id].kind == "producer", shown
        assert span.resource["service.version"]
        assert span.ended_ns >= span.began_ns
        if span.parent_id != trace.root.span_id or trace.root.kind != "producer":  # that one is told by who hears of it
            assert span.parent_id == "" or trace.by_id[span.parent_id].began_ns <= span.began_ns + 1_000_000, shown


def lines_of(system: Lectern, job_id: str) -> list[dict[str, Any]]:
    """Every log line of the services that speaks of the job."""
    logs = [system.home / "logs" / f"{service}.jsonl" for service in ("gateway", *STAGES)]
    lines = [line for log in logs for line in log.read_text().splitlines() if job_id in line]
    assert [line for line in lines if not line.startswith("{")] == []
    return [json.loads(line) for line in lines]


def check_lines(system: Lectern, trace: Trace, *, least: int) -> list[dict[str, Any]]:
    """Every line about the job says which, whose, what of it and in which trace; the lines."""
    lines = lines_of(system, trace.job["job_id"])
    assert len(lines) >= least, lines
    for line in lines:
        assert line["job_id"] == trace.job["job_id"], line
        assert line["owner"] == "local", line
        if "method" in line:  # a request has a trace of its own, but for the one that began the job's
            continue
        assert line["trace_id"] == trace.job["trace_id"], line
        if line["service"] in STAGES:
            assert (line["stage"], line["attempt"] >= 1) == (line["service"], True), line
            assert line["unit"], line
    return lines


def submit(system: Lectern, content: Content) -> str:
    return system.submit(content.source(), "lecture.mp4")


def test_a_job_by_http(system: Lectern, otlp: OtlpReceiver) -> None:
    job = system.wait(submit(system, Content(name="by http", units=3, slides=1)))
    assert job["status"] == "done"
    trace = Trace(otlp, job)
    check(trace, root="POST /v1/jobs")
    for consumer, producer in PIPELINE:
        assert {trace.parent(span) for span in trace.named(consumer)} == {producer}
    assert [
        trace.parent(trace.one(name)) for name in ("checkpoint source", "checkpoint guide", "checkpoint handout")
    ] == [
        "process ingest.submissions",
        "process analysis.documents",
        "process rendering.guides",
    ]
    heard = trace.named("checkpoint speech")
    assert [span.attributes["lectern.unit"] for span in heard] == ["speech-1", "speech-2", "speech-3"]
    for span in heard:
        assert span.attributes["db.collection.name"] == "checkpoints"
        assert span.attributes["lectern.storage.objects"] == 1
        assert span.attributes["lectern.storage.put_s"] > 0
        assert span.attributes["lectern.database.write_s"] > 0
    units = {span.parent_id for span in [*heard, *trace.named("checkpoint slides")]}
    assert {span_id for _, span_id in trace.one("join document").links} == units
    events = {trace.parent(span): span for span in trace.named("process gateway.progress")}
    assert events.keys() == {
        "publish job.submitted.v1",
        "publish source.ingested.v1",
        "publish unit.finished.v1",
        "publish source.transcribed.v1",
        "publish source.analysed.v1",
        "publish handout.rendered.v1",
        "publish job.ended.v1",
    }
    rendered = events["publish handout.rendered.v1"].attributes
    assert (rendered["db.collection.name"], rendered["db.operation.name"]) == ("jobs", "update")
    assert trace.parent(trace.one("publish job.ended.v1")) == "process gateway.progress"
    assert not any(span.failed for span in trace.spans)
    check_lines(system, trace, least=1)


def test_a_job_by_event_that_brings_no_trace(system: Lectern, otlp: OtlpReceiver) -> None:
    (system.home / "objects" / "inbox" / "event.mp4").write_bytes(Content(name="by event").source())
    job = system.wait(publish_submission(system, {"key": "inbox/event.mp4", "name": "event.mp4"}))
    assert job["status"] == "done"
    trace = Trace(otlp, job)
    check(trace, root="submission by event")
    first = [trace.one("process ingest.submissions"), trace.named("process gateway.progress")[0]]
    assert [trace.parent(span) for span in first] == ["submission by event"] * 2
    for consumer, producer in PIPELINE[1:]:
        assert trace.parent(trace.one(consumer)) == producer


def test_a_unit_that_is_retried(system: Lectern, otlp: OtlpReceiver) -> None:
    job = system.wait(submit(system, Content(name="retried", units=2, flaky={"speech-2": 1})))
    assert job["status"] == "done"
    trace = Trace(otlp, job)
    check(trace, root="POST /v1/jobs")
    first, failed, again = trace.named("process transcription.speech")
    assert [span.failed for span in (first, failed, again)] == [False, True, False]
    assert [span.attributes["lectern.attempt"] for span in (failed, again)] == [1, 2]
    assert {span.attributes["lectern.unit"] for span in (failed, again)} == {"speech-2"}
    assert trace.parent(again).startswith("publish lectern.retry.")
    assert trace.by_id[trace.by_id[again.parent_id].parent_id] == failed
    assert [name for name, _ in failed.events] == ["exception", "retry"]
    assert sum(span.failed for span in trace.spans) == 1, tree(trace.spans)
    (line,) = (line for line in check_lines(system, trace, least=2) if line["event"] == "message will be retried")
    assert (line["unit"], line["attempt"], line["queue"]) == ("speech-2", 1, "transcription.speech")
    assert line["span_id"] == failed.span_id


def test_a_job_that_fails_and_is_replayed(system: Lectern, otlp: OtlpReceiver) -> None:
    job_id = submit(system, Content(name="mended", mendable="speech-1"))
    job = system.wait(job_id)
    assert job["status"] == "failed"
    trace = Trace(otlp, job)
    check(trace, root="POST /v1/jobs")
    attempts = trace.named("process transcription.speech")
    assert [span.attributes["lectern.attempt"] for span in attempts] == [1, 2, 3]
    assert all(span.failed for span in attempts), "the trace that the API names is the one in which it failed"
    assert [name for name, _ in attempts[-1].events] == ["exception", "dead letter"]
    (buried,) = trace.named("process gateway.burials")
    assert trace.parent(buried) == "publish lectern.dead-letters"
    assert trace.by_id[trace.by_id[buried.parent_id].parent_id] == attempts[-1]
    assert buried.attributes["lectern.job.id"] == job_id

    workshop(system.home).mend(job_id)
    (letter,) = system.http.get("/v1/dead-letters", params={"job_id": job_id}).json()["dead_letters"]
    assert letter["trace_id"] == job["trace_id"]
    assert system.http.post(f"/v1/dead-letters/{letter['id']}/replay").status_code == 202
    wait_until(lambda: system.job(job_id)["status"] == "done", "the replay", 30)
    after = Trace(otlp, system.job(job_id), ends=2)
    check(after, root="POST /v1/jobs")
    assert after.job["trace_id"] == job["trace_id"]
    again = after.named("process transcription.speech")[-1]
    assert (again.failed, again.attributes["lectern.attempt"]) == (False, 1)
    replay = after.one("replay transcription.speech")
    assert again.parent_id == replay.span_id
    (asked,) = (span for span in after.others if span.name == "POST /v1/dead-letters/{letter_id}/replay")
    assert replay.links == ((asked.trace_id, asked.span_id),)
    lines = check_lines(system, after, least=5)
    said = [line["event"] for line in lines if line["service"] == "transcription"]
    assert said == ["message will be retried"] * 2 + ["message buried"]
    assert [line["attempt"] for line in lines if line["service"] == "transcription"] == [1, 2, 3]


def has_begun(system: Lectern, job_id: str, unit: str) -> bool:
    """Whether an engine works on that unit of the job, or has."""
    computations = read_ledger(workshop(system.home).folder).computations
    return any((one.job_id, one.unit) == (job_id, unit) for one in computations)


def test_a_job_that_is_cancelled(system: Lectern, otlp: OtlpReceiver) -> None:
    job_id = submit(system, Content(name="cancelled", slow=("speech-1",), slow_s=60))
    wait_until(lambda: system.job(job_id)["stages"][1]["status"] == "running", "transcription", 30)
    wait_until(lambda: has_begun(system, job_id, "speech-1"), "the unit", 30)
    assert system.http.post(f"/v1/jobs/{job_id}/cancel").status_code == 202
    trace = Trace(otlp, system.wait(job_id))
    assert trace.job["status"] == "cancelled"
    check(trace, root="POST /v1/jobs")
    stopped = trace.one("process transcription.speech")
    assert stopped.attributes["lectern.stopped"] == "RunCancelledError"
    for stage in STAGES:
        assert trace.parent(trace.one(f"process {stage}.cancellations")) == "publish job.cancelled.v1"
    assert not any(span.failed for span in trace.spans), "nobody failed"
    lines = check_lines(system, trace, least=2)
    assert "message of an unwanted job dropped" in {line["event"] for line in lines}


def test_there_are_no_other_spans_than_those_of_jobs_and_of_what_was_asked(system: Lectern, otlp: OtlpReceiver) -> None:
    jobs = {job["trace_id"] for job in system.http.get("/v1/jobs").json()["jobs"]}
    others = {span.trace_id for span in otlp.all() if span.trace_id not in jobs}
    roots = [span for span in otlp.all() if span.trace_id in others and span.parent_id == ""]
    assert len(roots) == len(others), "no span is without its parent"
    assert all(span.name.startswith("POST /v1/") for span in roots), [span.name for span in roots]


def test_the_logs_of_a_run_are_json_objects_with_the_same_names(system: Lectern) -> None:
    for log in Path(system.home / "logs").glob("*.jsonl"):
        for line in log.read_text().splitlines():
            assert line.startswith("{"), f"{log.name}: {line}"
            assert {"timestamp", "level", "event"} <= json.loads(line).keys(), line
