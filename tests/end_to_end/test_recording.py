"""The bundled lecture from upload to handout, judged against the text it was made from."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pypdfium2
import pytest
import srt
import webvtt

from deploy.samples.word_error_rate import word_error_rate
from shared.documents import SlideBlock, SourceDocument, StudyGuide, Transcript
from tests.end_to_end.otlp_receiver import OtlpReceiver, tree
from tests.end_to_end.system import SAMPLES, Lectern, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("lectern"), pytest.mark.timeout(600)]

LECTURE = SAMPLES / "lecture.mp4"
TRUTH = json.loads((SAMPLES / "lecture.truth.json").read_text())
UNIT_S = "60"  # three units of speech, so that there is something to lose
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(scope="module")
def finished(lectern: Lectern) -> dict[str, Any]:
    return lectern.wait(lectern.submit(LECTURE, "lecture.mp4", unit_s=UNIT_S, headers={"traceparent": PARENT}))


@pytest.fixture(scope="module")
def document(lectern: Lectern, finished: dict[str, Any]) -> SourceDocument:
    return SourceDocument.model_validate_json(lectern.artifact(finished["job_id"], "document.json"))


def test_a_recording_becomes_a_handout(finished: dict[str, Any]) -> None:
    assert finished["status"] == "done", finished
    assert all(stage["status"] == "done" for stage in finished["stages"])
    names = {artifact["name"] for artifact in finished["artifacts"]}
    assert names >= {
        "handout.pdf",
        "handout.html",
        "handout.md",
        "captions.vtt",
        "captions.srt",
        "transcript.json",
        "document.json",
        "study_guide.json",
        "slides.json",
        "slides/001.png",
    }
    transcription = next(stage for stage in finished["stages"] if stage["stage"] == "transcription")
    assert transcription["units_done"] == transcription["units"] == 4


def test_the_words_are_those_of_the_lecture(lectern: Lectern, finished: dict[str, Any]) -> None:
    transcript = Transcript.model_validate_json(lectern.artifact(finished["job_id"], "transcript.json"))
    heard = " ".join(segment.text for segment in transcript.segments)
    assert word_error_rate(heard, TRUTH["text"]) <= 0.02


def test_every_slide_is_found_and_none_invented(document: SourceDocument) -> None:
    found = [block.spans[0].start_s for block in document.blocks if isinstance(block, SlideBlock)]
    true = [slide["start_s"] for slide in TRUTH["slides"]]
    assert len(found) == len(true)
    assert found == pytest.approx(true, abs=1.0)


def test_every_item_cites_blocks_that_exist(
    lectern: Lectern, finished: dict[str, Any], document: SourceDocument
) -> None:
    guide = StudyGuide.model_validate_json(lectern.artifact(finished["job_id"], "study_guide.json"))
    ids = {block.id for block in document.blocks}
    items = [*guide.summary, *guide.glossary, *guide.questions, *guide.sections]
    items += [point for section in guide.sections for point in section.key_points]
    assert guide.summary
    assert guide.glossary
    assert guide.questions
    assert all(set(item.blocks) <= ids for item in items)


def test_captions_can_be_played(lectern: Lectern, finished: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "captions.vtt"
    path.write_bytes(lectern.artifact(finished["job_id"], "captions.vtt"))
    cues = webvtt.read(str(path)).captions
    subtitles = list(srt.parse(lectern.artifact(finished["job_id"], "captions.srt").decode()))
    assert len(cues) == len(subtitles) > 20
    assert all(len(line) <= 42 for cue in cues for line in cue.text.splitlines())


def test_the_pdf_can_be_read_and_printed(lectern: Lectern, finished: dict[str, Any]) -> None:
    pdf = pypdfium2.PdfDocument(lectern.artifact(finished["job_id"], "handout.pdf"))
    text = "\n".join(page.get_textpage().get_text_bounded() for page in pdf)
    pdf.close()
    assert "Hamming" in text
    assert "Glossary" in text


def test_one_trace_holds_the_whole_job(lectern: Lectern, finished: dict[str, Any], collector: OtlpReceiver) -> None:
    trace_id = PARENT.split("-")[1]
    assert finished["trace_id"] == trace_id
    services = {f"lectern-{name}" for name in ("gateway", "ingest", "transcription", "analysis", "rendering")}
    known = {PARENT.split("-")[2]}

    def whole() -> bool:
        spans = collector.trace(trace_id)
        parents = known | {span.span_id for span in spans}
        return {span.service for span in spans} >= services and all(span.parent_id in parents for span in spans)

    wait_until(whole, "the trace", 30)
    spans = collector.trace(trace_id)
    assert len(spans) <= 80, tree(spans)
    by_name = {span.name: span for span in spans}
    parents = {span.span_id: span for span in spans}
    heard = [span for span in spans if span.name == "engine transcribe"]
    assert {span.attributes["lectern.unit"] for span in heard} == {"speech-1", "speech-2", "speech-3"}
    for span in heard:
        assert parents[span.parent_id].name == "process transcription.speech"
        assert span.attributes["lectern.engine.model"] == "tiny.en"
        assert span.attributes["lectern.audio_s"] > 0
        assert span.attributes["lectern.engine.real_time_factor"] > 0
    units = {
        parents[span.parent_id].span_id for span in spans if span.name in ("engine transcribe", "engine find slides")
    }
    assert {span_id for _, span_id in by_name["join document"].links} == units
    worked = [span for span in spans if span.service != "lectern-gateway"]
    assert {span.attributes.get("lectern.job.id") for span in worked} == {finished["job_id"]}
    assert {span.attributes.get("lectern.attempt") for span in worked} == {1}
    assert all(span.attributes["lectern.stage"] == span.service.removeprefix("lectern-") for span in worked)
    assert all(span.resource["service.version"] for span in spans)
    programs = [span for span in spans if span.name.startswith("run ")]
    assert {span.name for span in programs} == {"run ffmpeg", "run ffprobe"}
    assert {parents[span.parent_id].name for span in programs} == {"engine prepare", "engine find slides"}
    assert all(span.attributes["process.exit.code"] == 0 for span in programs)
    engines = [span for span in spans if span.name.startswith("engine ")]
    assert all(span.attributes["lectern.engine.peak_mb"] > 0 for span in engines)
    assert by_name["engine find slides"].attributes["lectern.slides"] > 0
    assert {"engine prepare", "engine join", "engine analyse", "engine render pdf"} <= by_name.keys()
    assert not any(span.failed for span in spans)


def test_an_idle_system_sends_no_span(lectern: Lectern, finished: dict[str, Any], collector: OtlpReceiver) -> None:
    idle_ns = time.time_ns()  # what comes later and began before is what the last job still had to say
    for _ in range(12):  # longer than the services' own checks are apart
        lectern.job(finished["job_id"])  # a client that polls
        time.sleep(1)
    assert [span.name for span in collector.all() if span.began_ns > idle_ns] == []


def test_log_lines_carry_job_and_trace(lectern: Lectern) -> None:
    failed = lectern.wait(lectern.submit(b"no lecture", "lecture.mp4"))
    log = (lectern.home / "logs" / "ingest.jsonl").read_text()
    lines = [json.loads(line) for line in log.splitlines() if failed["job_id"] in line]
    assert lines
    assert all(line["trace_id"] == failed["trace_id"] for line in lines)


def test_a_killed_worker_costs_one_unit_and_changes_no_byte(lectern: Lectern, finished: dict[str, Any]) -> None:
    job_id = lectern.submit(LECTURE, "lecture.mp4", unit_s=UNIT_S)

    def units_done() -> int:
        stages = lectern.job(job_id)["stages"]
        return int(next(stage["units_done"] for stage in stages if stage["stage"] == "transcription"))

    wait_until(lambda: units_done() >= 1, "the first unit", 120)
    victim = psutil.Process(lectern.state["processes"]["transcription"]["pid"])
    engines = victim.children(recursive=True)
    victim.send_signal(signal.SIGKILL)
    psutil.wait_procs(engines, timeout=10)
    assert not [engine for engine in engines if engine.is_running() and engine.status() != psutil.STATUS_ZOMBIE]
    job = lectern.wait(job_id)
    assert job["status"] == "done"
    for name in ("document.json", "transcript.json", "study_guide.json"):
        assert lectern.artifact(job_id, name) == lectern.artifact(finished["job_id"], name)


def test_a_deleted_job_leaves_nothing(lectern: Lectern) -> None:
    job_id = lectern.submit(LECTURE, "lecture.mp4")
    wait_until(lambda: lectern.job(job_id)["status"] != "submitted", "ingest", 60)
    assert lectern.http.delete(f"/v1/jobs/{job_id}").status_code == 204
    assert lectern.http.get(f"/v1/jobs/{job_id}").status_code == 404
    objects = lectern.home / "objects"

    def left() -> list[Path]:
        return [path for path in objects.rglob("*") if job_id in str(path) and path.is_file()]

    wait_until(lambda: not left(), "removing objects", 60)
