"""The read model is right in any order of events and after any repetition."""

import asyncio
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.gateway.jobs.facts import addition_of, addition_of_failure
from services.gateway.jobs.read_model import ReadModel
from services.gateway.jobs.view import STATUSES, Job, derive
from services.gateway.jobs.wakeups import Wakeups
from shared.events import (
    Artifact,
    Event,
    HandoutRendered,
    JobDeleted,
    JobSubmitted,
    PageRange,
    SourceAnalysed,
    SourceFacts,
    SourceIngested,
    SourceTranscribed,
    SubmittedSource,
    UnitFinished,
)
from shared.storage import ObjectRef

JOB = "job-00000001"
REF = ObjectRef(key="a/b", sha256="0" * 64, size=7)
SUBMITTED = JobSubmitted(job_id=JOB, owner="ana", source=SubmittedSource(key="inbox/a.pdf", name="a.pdf", size=7))
FAILURE = ("speech", "ingest")


def _rendered(*missing: str) -> HandoutRendered:
    artifacts = (Artifact(name="handout.pdf", object=REF),)
    return HandoutRendered(job_id=JOB, title="Tides", artifacts=artifacts, missing=missing)


def _history(units: int) -> list[Any]:
    pages = tuple(PageRange(number=n, first=n, last=n) for n in range(1, units + 1))
    facts = SourceFacts(kind="document", name="a.pdf", page_count=units, warnings=("small print",))
    return [
        SUBMITTED,
        SourceIngested(job_id=JOB, facts=facts, original=REF, source=REF, pages=pages),
        *(UnitFinished(job_id=JOB, stage="transcription", unit=f"pages-{n}", units=units) for n in range(1, units + 1)),
        SourceTranscribed(job_id=JOB, document=REF),
        SourceAnalysed(job_id=JOB, document=REF, guide=REF),
    ]


FAILURES = [
    addition_of_failure("transcription", "transcription.pages", "engine", "It broke."),
    addition_of_failure("transcription", "transcription.pages", "engine_timeout", "It took too long."),
    addition_of_failure("rendering", "rendering.guides", "internal", "Something went wrong."),
]
ENDINGS: list[list[Any]] = [
    [],
    [_rendered()],
    [_rendered("captions.vtt: no speech")],
    [_rendered(), _rendered("captions.vtt: no speech")],
    FAILURES,
    FAILURES[:1],
    [*FAILURES, _rendered()],
]


async def _play(model: ReadModel, item: Any) -> None:
    if isinstance(item, JobDeleted):
        await model.forget(JOB, pending=False)
    elif isinstance(item, Event):
        await model.add(JOB, addition_of(item))
    else:
        await model.add(JOB, item)


async def _outcome(fakes: ModuleType, history: list[Any], *, at_once: bool = False) -> tuple[Job | None, list[str]]:
    model = ReadModel(fakes.FakeDatabase(), Wakeups())
    statuses: list[str] = []
    if at_once:
        await asyncio.gather(*(_play(model, item) for item in history))
    else:
        for item in history:
            await _play(model, item)
            document = await model.document(JOB)
            assert document is not None
            statuses.append(document["status"])
    job = await model.get("ana", JOB)
    return (job.model_copy(update={"revision": 0}) if job else None), statuses


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_and_repetition_gives_the_same_job(fakes: ModuleType, data: st.DataObject) -> None:
    units = data.draw(st.integers(1, 5))
    whole = _history(units) + data.draw(st.sampled_from(ENDINGS))
    # Some events may still be under way; the submission has arrived.
    kept = [item for item in whole if item is SUBMITTED or data.draw(st.booleans())]
    repeated = kept + data.draw(st.lists(st.sampled_from(kept), max_size=8))
    shuffled = data.draw(st.permutations(repeated))
    straight, _ = asyncio.run(_outcome(fakes, kept))
    mixed, statuses = asyncio.run(_outcome(fakes, shuffled))
    assert mixed == straight
    ranks = [STATUSES.index(status) for status in statuses]  # type: ignore[arg-type]  # statuses as stored
    assert ranks == sorted(ranks)
    at_once, _ = asyncio.run(_outcome(fakes, shuffled, at_once=True))
    assert at_once == straight


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_deleted_job_stays_invisible(fakes: ModuleType, data: st.DataObject) -> None:
    history = [*_history(2), _rendered(), JobDeleted(job_id=JOB)]
    job, statuses = asyncio.run(_outcome(fakes, data.draw(st.permutations(history * 2))))
    assert job is None
    assert statuses[-1] == "deleted"


def test_progress_counts_each_unit_once(fakes: ModuleType) -> None:
    history = [*_history(3)[:3], _history(3)[2]]
    job, _ = asyncio.run(_outcome(fakes, history))
    assert job is not None
    assert [(stage.status, stage.units_done, stage.units) for stage in job.stages] == [
        ("done", 1, 1),
        ("running", 1, 3),
        ("waiting", 0, 1),
        ("waiting", 0, 1),
    ]


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ([_rendered()], "done"),
        ([_rendered("x.pdf: too long")], "partial"),
        (FAILURES, "failed"),
        ([*FAILURES, _rendered()], "done"),
        ([], "running"),
    ],
)
def test_status(fakes: ModuleType, ending: list[Any], status: str) -> None:
    job, _ = asyncio.run(_outcome(fakes, _history(2) + ending))
    assert job is not None
    assert job.status == status
    assert (job.error is not None) == (status == "failed")


def test_an_owner_cannot_be_replaced(fakes: ModuleType) -> None:
    other = SUBMITTED.model_copy(update={"owner": "eve"})
    job, _ = asyncio.run(_outcome(fakes, [SUBMITTED, other]))
    assert job is not None


def test_nothing_is_known_of_an_empty_job() -> None:
    job = derive(JOB, {})
    assert job.status == "submitted"
    assert [stage.status for stage in job.stages] == ["running", "waiting", "waiting", "waiting"]
