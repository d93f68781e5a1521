"""The read model is right in any order of events and after any repetition."""

import asyncio
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.jobs.derive import derive, generation_of
from services.gateway.jobs.facts import Failure, addition_of, addition_of_replay
from services.gateway.jobs.read_model import ReadModel
from services.gateway.jobs.view import STATUSES, Job
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
DELETED_RANK = len(STATUSES)


def _rendered(*missing: str, run: int = 1) -> HandoutRendered:
    artifacts = (Artifact(name="handout.pdf", object=REF),)
    return HandoutRendered(job_id=JOB, title="Tides", artifacts=artifacts, missing=missing, run=run)


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
    Failure("transcription", "transcription.pages", "engine", "It broke.", letter="a").addition(),
    Failure("transcription", "transcription.pages", "engine_timeout", "It took too long.", letter="b").addition(),
    Failure("rendering", "rendering.guides", "internal", "Something went wrong.", letter="c").addition(),
]
REPLAYED = [addition_of_replay("a", 1), addition_of_replay("b", 1), addition_of_replay("c", 1)]
DIED_AGAIN = Failure("rendering", "rendering.guides", "internal", "Again.", letter="c", replays=1).addition()
SECOND_RUN = SUBMITTED.model_copy(update={"run": 2})
ENDINGS: list[list[Any]] = [
    [],
    [_rendered()],
    [_rendered("captions.vtt: no speech")],
    [_rendered(), _rendered("captions.vtt: no speech")],
    FAILURES,
    FAILURES[:1],
    [*FAILURES, _rendered()],
    [*FAILURES, *REPLAYED],
    [*FAILURES, *REPLAYED, DIED_AGAIN],
    [*FAILURES, REPLAYED[0], DIED_AGAIN, _rendered()],
    [*FAILURES, SECOND_RUN],
    [*FAILURES, SECOND_RUN, _rendered(run=2)],
    [_rendered("captions: no speech"), SECOND_RUN],
    [_rendered("captions: no speech"), SECOND_RUN, _rendered("captions: still none", run=2)],
    [_rendered("captions: no speech"), _rendered("captions: no", "html: no"), SECOND_RUN, DIED_AGAIN],
    [_rendered("captions: no speech"), SECOND_RUN, _rendered(run=2)],
]


async def _play(model: ReadModel, item: Any) -> None:
    if isinstance(item, JobDeleted):
        await model.forget(JOB, untold=False)
    elif isinstance(item, Event):
        await model.add(JOB, addition_of(item))
    else:
        await model.add(JOB, item)


async def _outcome(
    fakes: ModuleType, history: list[Any], *, at_once: bool = False, gateways: int = 1
) -> tuple[Job | None, list[tuple[int, int]]]:
    """The job in the end, and after each event its generation and the rank of its status.

    Each of `gateways` remembers what it wrote last, and hears every so-many-th event.
    """
    database = fakes.FakeDatabase()
    models = [ReadModel(database, Wakeups()) for _ in range(gateways)]
    model = models[0]
    statuses: list[tuple[int, int]] = []
    if at_once:
        await asyncio.gather(*(_play(models[n % gateways], item) for n, item in enumerate(history)))
    else:
        for number, item in enumerate(history):
            await _play(models[number % gateways], item)
            document = await model.document(JOB)
            assert document is not None
            status = document["status"]
            rank = STATUSES.index(status) if status in STATUSES else DELETED_RANK
            statuses.append((generation_of(document.get("facts", {})), rank))
    job = await model.get("ana", JOB)
    return (job.model_copy(update={"revision": 0}) if job else None), statuses


@settings(max_examples=150)
@given(data=st.data())
def test_any_order_and_repetition_gives_the_same_job(fakes: ModuleType, data: st.DataObject) -> None:
    units = data.draw(st.integers(1, 5))
    whole = _history(units) + data.draw(st.sampled_from(ENDINGS))
    # Some events may still be under way; the submission has arrived.
    kept = [item for item in whole if item is SUBMITTED or data.draw(st.booleans())]
    repeated = kept + data.draw(st.lists(st.sampled_from(kept), max_size=8))
    shuffled = data.draw(st.permutations(repeated))
    straight, _ = asyncio.run(_outcome(fakes, kept))
    gateways = data.draw(st.integers(1, 3))
    mixed, statuses = asyncio.run(_outcome(fakes, shuffled, gateways=gateways))
    assert mixed == straight
    assert statuses == sorted(statuses)
    at_once, _ = asyncio.run(_outcome(fakes, shuffled, at_once=True, gateways=gateways))
    assert at_once == straight


@settings(max_examples=60)
@given(data=st.data())
def test_a_deleted_job_stays_invisible(fakes: ModuleType, data: st.DataObject) -> None:
    history = [*_history(2), _rendered(), JobDeleted(job_id=JOB)]
    job, statuses = asyncio.run(_outcome(fakes, data.draw(st.permutations(history * 2))))
    assert job is None
    assert statuses[-1][1] == DELETED_RANK


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
        ([*FAILURES, *REPLAYED], "running"),
        ([*FAILURES, *REPLAYED[:2]], "failed"),
        ([*FAILURES, *REPLAYED, DIED_AGAIN], "failed"),
        ([*FAILURES, SECOND_RUN], "running"),
        ([_rendered("x.pdf: too long"), SECOND_RUN], "running"),
        ([_rendered("x.pdf: too long"), SECOND_RUN, _rendered(run=2)], "done"),
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


async def _with_cancel(fakes: ModuleType, history: list[Any], at: int) -> tuple[bool, Job | None]:
    model = ReadModel(fakes.FakeDatabase(), Wakeups())
    await _play(model, SUBMITTED)
    cancelled = False
    for number, item in enumerate(history):
        if number == at:
            cancelled = await model.cancel(JOB)
        await _play(model, item)
    return cancelled, await model.get("ana", JOB)


@settings(max_examples=100)
@given(data=st.data())
def test_cancelled_is_for_good_or_was_refused(fakes: ModuleType, data: st.DataObject) -> None:
    ending = data.draw(st.sampled_from([[], [_rendered()], FAILURES, [_rendered("html: no")]]))
    history = data.draw(st.permutations([*_history(2), *ending]))
    at = data.draw(st.integers(0, len(history) - 1))
    cancelled, job = asyncio.run(_with_cancel(fakes, history, at))
    assert job is not None
    assert (job.status == "cancelled") == cancelled
    if not cancelled:
        assert job.status in ("done", "failed", "partial")


async def test_a_cancellation_that_races_with_the_end_has_one_outcome(fakes: ModuleType) -> None:
    model = ReadModel(fakes.FakeDatabase(), Wakeups())
    await _play(model, SUBMITTED)
    *_, cancelled = await asyncio.gather(
        *(_play(model, item) for item in [*_history(2), _rendered()]), *(model.cancel(JOB) for _ in range(3))
    )
    job = await model.get("ana", JOB)
    assert job is not None
    assert job.status == ("cancelled" if cancelled else "done")


async def test_only_what_ended_without_success_is_retried_and_by_one(fakes: ModuleType) -> None:
    model = ReadModel(fakes.FakeDatabase(), Wakeups())
    await _play(model, SUBMITTED)
    assert not await model.retry(JOB)
    await _play(model, FAILURES[0])
    assert sorted(await asyncio.gather(*(model.retry(JOB) for _ in range(3)))) == [False, False, True]
    job = await model.get("ana", JOB)
    assert job is not None
    assert (job.status, job.run, job.error) == ("running", 2, None)
    await _play(model, _rendered(run=2))
    assert not await model.retry(JOB)


async def test_a_late_submission_of_an_earlier_run_does_not_pass_for_the_next(fakes: ModuleType) -> None:
    model = ReadModel(fakes.FakeDatabase(), Wakeups())
    await _play(model, SUBMITTED)
    await _play(model, FAILURES[0])
    await model.retry(JOB)
    for run, waits in ((1, True), (2, False)):
        event = SUBMITTED.model_copy(update={"run": run})
        document = await model.add(JOB, addition_of(event), published_run=run)
        assert document is not None
        assert ("pending" in document) == waits
