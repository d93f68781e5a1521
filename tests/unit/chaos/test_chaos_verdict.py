"""The reckoning sees a lost, a doubled, a stuck and a wrong job, and lets a right one pass."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.cases import Case, Wish
from tests.chaos.content import POISON_MESSAGE, Content
from tests.chaos.disturbances import Disturbance, Disturbances
from tests.chaos.ending import ends_of_its_own
from tests.chaos.inventory import by_job
from tests.chaos.nursery import Unit
from tests.chaos.progress import Progress
from tests.chaos.verdict import Quiet, Tally, faults_of_view, judge, view_of
from tests.chaos.watch import Watch

FILES = {"handout.pdf": "a" * 64}
OBJECTS = {"gateway/uploads/source": "1", "rendering/d/handout.pdf": "2"}
QUIET = Quiet("done", FILES, OBJECTS)
STAGES = [{"stage": "ingest", "status": "running", "units_done": 0, "units": 1}]


def case(**facts: Any) -> Case:
    content = facts.pop("content", Content(name="talk.wav"))
    return Case(Wish(1, 0, content, "key"), job_id="job-00001", **facts)


def job(status: str = "done", **facts: Any) -> dict[str, Any]:
    artifacts = [{"name": name, "sha256": digest} for name, digest in FILES.items()]
    return {"job_id": "job-00001", "status": status, "artifacts": artifacts, "error": None, "stages": STAGES} | facts


def judged(one: Case, found: dict[str, Any] | None, objects: dict[str, str] = OBJECTS) -> Tally:
    tally = Tally()
    judge(one, found, objects, QUIET, tally)
    return tally


def test_a_job_as_in_the_quiet_run_is_right() -> None:
    assert judged(case(), job()).findings() == []


def test_an_accepted_job_that_is_not_there_is_lost() -> None:
    assert len(judged(case(), None).lost) == 1


def test_a_done_job_without_one_of_its_objects_has_lost_it() -> None:
    assert len(judged(case(), job(), {"gateway/uploads/source": "1"}).lost) == 1


def test_an_object_too_many_is_doubled() -> None:
    assert len(judged(case(), job(), {**OBJECTS, "gateway/uploads/source, number 2": "1"}).doubled) == 1


def test_a_job_that_has_not_ended_is_stuck() -> None:
    assert len(judged(case(), job("running")).stuck) == 1


@pytest.mark.parametrize(
    ("one", "found", "objects"),
    [
        (case(), job(), {**OBJECTS, "rendering/d/handout.pdf": "other"}),
        (case(), job(artifacts=[{"name": "handout.pdf", "sha256": "b" * 64}]), OBJECTS),
        (case(), job("failed"), OBJECTS),
        (case(cancelled=True), job("done"), OBJECTS),
        (case(deleted=True), job("done"), {}),
        (case(deleted=True), None, OBJECTS),
        (case(content=Content(name="p", poisoned="guide")), job("failed", error={"code": "engine"}), OBJECTS),
    ],
    ids=["bytes", "artefact", "failed", "cancelled", "deleted and listed", "deleted and left", "reason"],
)
def test_what_is_not_as_demanded_is_found(one: Case, found: dict[str, Any] | None, objects: dict[str, str]) -> None:
    assert len(judged(one, found, objects).findings()) == 1


def test_jobs_that_failed_or_were_cancelled_may_have_less() -> None:
    poisoned = case(content=Content(name="p", poisoned="guide"))
    error = {"code": "invalid_source", "message": POISON_MESSAGE}
    assert judged(poisoned, job("failed", error=error), {"gateway/uploads/source": "1"}).findings() == []
    assert judged(case(cancelled=True), job("cancelled"), {}).findings() == []


def test_objects_are_sorted_by_job_and_uploads_are_counted() -> None:
    keys = ["gateway/uploads/j1/aa/source", "gateway/uploads/j1/bb/source", "ingest/j2/d/speech-1.wav", "stray"]
    assert by_job(dict.fromkeys(keys, "x")) == {
        "j1": {"gateway/uploads/source": "x", "gateway/uploads/source, number 2": "x"},
        "j2": {"ingest/d/speech-1.wav": "x"},
        "?": {"stray": "x"},
    }


@pytest.mark.parametrize(
    ("statuses", "wrong"),
    [
        ([(1, "submitted"), (1, "running"), (1, "done")], 0),
        ([(1, "submitted"), (1, "done")], 0),
        ([(1, "failed"), (2, "running"), (2, "done")], 0),
        ([(1, "running"), (1, "submitted"), (1, "done")], 1),
        ([(1, "failed"), (1, "done")], 1),
        ([(1, "done"), (1, "running"), (1, "done")], 1),
        ([(2, "running"), (1, "failed")], 1),
    ],
)
def test_a_job_moves_forward_and_ends_once_a_run(statuses: list[tuple[int, str]], wrong: int) -> None:
    watch = Watch()
    for run, status in statuses:
        watch.note({"job_id": "j", "run": run, "status": status}, "ana")
    assert len(watch.findings(set())) == wrong


def test_what_is_told_of_a_job_must_be_what_a_quiet_run_is_told() -> None:
    told = {"title": "T", "source": {}, "warnings": [], "missing": [], "parameters": {}}
    quiet = Quiet("done", FILES, OBJECTS, view_of(job(**told)))
    tally = Tally()
    judge(case(), job(**told), OBJECTS, quiet, tally)
    assert tally.findings() == []
    judge(case(), job(**{**told, "title": None}), OBJECTS, quiet, tally)
    assert len(tally.findings()) == 1


def test_a_quiet_run_is_measured_against_its_content() -> None:
    content = Content(name="talk.wav", units=2, slides=1)
    body = content.source()
    source = {"name": "talk.wav", "kind": "recording", "duration_s": 120.0, "page_count": None}
    source |= {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    stages = [
        {"stage": name, "status": "done", "units_done": units} for name, units in zip("itar", (1, 3, 1, 1), strict=True)
    ]
    assert faults_of_view(content, job(title="talk.wav", source=source, stages=stages)) == []
    for wrong in (
        {"title": None},
        {"source": {**source, "kind": None}},
        {"stages": [*stages[:3], {**stages[3], "status": "running"}]},
    ):
        assert (
            len(faults_of_view(content, job(**{"title": "talk.wav", "source": source, "stages": stages, **wrong}))) == 1
        )


def test_progress_that_was_never_told_is_found() -> None:
    def looked(*stages: tuple[str, int, int | None]) -> dict[str, Any]:
        names = ("ingest", "transcription", "analysis", "rendering")
        return {
            "stages": [
                {"stage": name, "status": status, "units_done": done, "units": units}
                for name, (status, done, units) in zip(names, stages, strict=True)
            ]
        }

    progress = Progress()
    assert len(progress.findings()) == 3
    done = ("done", 1, 1)
    progress.note(looked(done, ("running", 1, 2), ("waiting", 0, 1), ("waiting", 0, 1)))
    progress.note(looked(done, ("done", 2, 2), ("running", 0, 1), ("waiting", 0, 1)))
    assert len(progress.findings()) == 1
    progress.note(looked(done, ("done", 2, 2), done, ("running", 0, 1)))
    assert progress.findings() == []


def test_a_process_that_ends_by_itself_is_found(tmp_path: Path) -> None:
    unit = Unit("ingest", "ingest", 1, {}, tmp_path / "ingest.log", statuses=[-9, -9], ended_at=[1.0, 2.0])
    cut = Disturbances([Disturbance("broker", 99, 99.1)])
    assert ends_of_its_own([unit], cut) == []
    unit.statuses += [1, -11]
    unit.ended_at += [100.0, 101.0]
    assert len(ends_of_its_own([unit], Disturbances())) == 2
    assert len(ends_of_its_own([unit], cut)) == 1
