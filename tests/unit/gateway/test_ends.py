"""Every end of a job is told, each under one id, whatever came in which order to which gateway."""

import asyncio
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.jobs.ended import ENDS
from services.gateway.jobs.ends import Ends
from services.gateway.jobs.facts import Addition, Failure, addition_of, addition_of_replay
from services.gateway.jobs.read_model import ReadModel
from services.gateway.jobs.view import TERMINAL
from services.gateway.jobs.wakeups import Wakeups
from shared.commands import Command
from shared.errors import BrokerError
from shared.events import (
    Artifact,
    Event,
    HandoutRendered,
    JobEnded,
    JobSubmitted,
    SourceRefused,
    SubmittedSource,
    UnitFinished,
)
from shared.storage import ObjectRef

JOB = "job-00000001"
REF = ObjectRef(key="a/b", sha256="0" * 64, size=7)
SUBMITTED = JobSubmitted(job_id=JOB, owner="ana", source=SubmittedSource(key="inbox/a.pdf", name="a.pdf", size=7))
REFUSED = SourceRefused(job_id=JOB, stage="ingest", code="invalid_source", message="This is no PDF.")
BROKEN = Failure("transcription", "transcription.pages", "engine", "It broke.", letter="a").addition()
REPLAYED = addition_of_replay("a", 1)
BROKEN_AGAIN = Failure("transcription", "transcription.pages", "engine", "Again.", letter="a", replays=1).addition()


def rendered(*missing: str, run: int = 1) -> Addition:
    artifacts = (Artifact(name="handout.pdf", object=REF),)
    return addition_of(HandoutRendered(job_id=JOB, title="Tides", artifacts=artifacts, missing=missing, run=run))


class Others:
    """What others hear. While `away` is above zero, nothing can be published, and each try counts it down."""

    def __init__(self) -> None:
        self.heard: dict[str, JobEnded] = {}
        self.ids: list[str] = []
        self.away = 0

    async def publish(self, message: Event | Command, *, message_id: str) -> None:
        await asyncio.sleep(0)
        if self.away:
            self.away -= 1
            raise BrokerError("away")
        assert isinstance(message, JobEnded)
        assert self.heard.setdefault(message_id, message) == message
        self.ids.append(message_id)

    @property
    def told(self) -> list[tuple[int, str]]:
        """Run and status of each end that was told."""
        return [(event.run, event.status) for event in self.heard.values()]


class Gateway:
    def __init__(self, database: Any, others: Others) -> None:
        self.model = ReadModel(database, Wakeups())
        self.ends = Ends(self.model, others.publish)

    async def learn(self, addition: Addition) -> None:
        """As the projection does."""
        document = await self.model.add(JOB, addition)
        if document is not None and document["status"] in TERMINAL:
            await self.ends.tell_soon(document)

    async def sweep(self) -> None:
        document = await self.model.document(JOB)
        if document is not None and ENDS in document:
            await self.ends.tell(document)


HISTORIES: list[tuple[list[Addition], str]] = [
    ([rendered()], "done"),
    ([rendered("html: no")], "partial"),
    ([rendered("html: no", "captions: no"), rendered("html: no")], "partial"),
    ([addition_of(REFUSED)], "failed"),
    ([BROKEN], "failed"),
    ([BROKEN, rendered()], "done"),
    ([BROKEN, REPLAYED, BROKEN_AGAIN], "failed"),
    ([BROKEN, REPLAYED, rendered()], "done"),
    ([BROKEN, rendered("html: no", run=2)], "partial"),
]


async def _heard(fakes: ModuleType, history: list[Addition], gateways: int, away: int, *, at_once: bool) -> Others:
    database, others = fakes.FakeDatabase(), Others()
    others.away = away
    servers = [Gateway(database, others) for _ in range(gateways)]
    if at_once:
        await asyncio.gather(*(servers[n % gateways].learn(item) for n, item in enumerate(history)))
    else:
        for number, item in enumerate(history):
            await servers[number % gateways].learn(item)
    others.away = 0
    await servers[-1].sweep()
    document = await servers[0].model.document(JOB)
    assert document is not None
    assert ENDS not in document
    return others


@settings(max_examples=150)
@given(data=st.data())
def test_the_last_end_is_told_in_any_order_by_any_gateway(fakes: ModuleType, data: st.DataObject) -> None:
    additions, status = data.draw(st.sampled_from(HISTORIES))
    whole = [addition_of(SUBMITTED), addition_of(UnitFinished(job_id=JOB, stage="ingest", unit="x-1", units=1))]
    whole += additions
    repeated = whole + data.draw(st.lists(st.sampled_from(whole), max_size=5))
    others = asyncio.run(
        _heard(
            fakes,
            data.draw(st.permutations(repeated)),
            data.draw(st.integers(1, 3)),
            data.draw(st.integers(0, 4)),
            at_once=data.draw(st.booleans()),
        )
    )
    last = list(others.heard.values())[-1]
    assert (last.job_id, last.owner, last.status) == (JOB, "ana", status)
    assert (last.error is not None) == (status == "failed")
    # Whatever was told on the way is an end that is known to every gateway by the same id.
    straight = asyncio.run(_heard(fakes, whole, 1, 0, at_once=False))
    final = list(straight.heard)[-1]
    assert final in others.heard
    assert len(others.heard) <= len(additions)


@pytest.mark.parametrize(
    ("history", "told"),
    [
        ([rendered()] * 3, [(1, "done")]),
        ([BROKEN, BROKEN, addition_of(UnitFinished(job_id=JOB, stage="ingest", unit="x-1", units=1))], [(1, "failed")]),
        ([BROKEN, REPLAYED, BROKEN_AGAIN], [(1, "failed"), (1, "failed")]),
        ([BROKEN, REPLAYED, rendered()], [(1, "failed"), (1, "done")]),
        ([rendered("html: no"), addition_of_replay("other", 1)], [(1, "partial")]),
        ([rendered("html: no", "captions: no"), rendered("html: no")], [(1, "partial"), (1, "partial")]),
        ([rendered(), addition_of_replay("other", 1)], [(1, "done")]),
    ],
)
async def test_each_end_is_one_fact(fakes: ModuleType, history: list[Addition], told: list[tuple[int, str]]) -> None:
    others = Others()
    gateway = Gateway(fakes.FakeDatabase(), others)
    await gateway.learn(addition_of(SUBMITTED))
    for item in history:
        await gateway.learn(item)
    assert others.told == told
    assert len(others.ids) == len(told)  # and none of them twice


async def test_news_that_comes_before_the_submission_is_told_with_it(fakes: ModuleType) -> None:
    others = Others()
    gateway = Gateway(fakes.FakeDatabase(), others)
    await gateway.learn(rendered())
    assert others.told == []
    await gateway.learn(addition_of(SUBMITTED))
    assert others.told == [(1, "done")]
    (event,) = others.heard.values()
    assert (event.title, event.missing, [file.name for file in event.artifacts]) == ("Tides", (), ["handout.pdf"])


async def test_a_retry_that_comes_at_once_takes_no_end_along(fakes: ModuleType) -> None:
    others = Others()
    gateway, other = (Gateway(database := fakes.FakeDatabase(), others), Gateway(database, others))
    await gateway.learn(addition_of(SUBMITTED))
    others.away = 1
    await gateway.learn(BROKEN)
    assert await other.model.retry(JOB)
    await gateway.learn(rendered(run=2))
    assert others.told == [(1, "failed"), (2, "done")]


async def test_an_end_that_is_told_while_another_comes_takes_that_one_not_along(fakes: ModuleType) -> None:
    others = Others()
    gateway, other = (Gateway(database := fakes.FakeDatabase(), others), Gateway(database, others))
    await gateway.learn(addition_of(SUBMITTED))
    others.away = 2
    await gateway.learn(BROKEN)
    earlier = await gateway.model.document(JOB)
    assert earlier is not None
    await other.learn(rendered())
    await gateway.ends.tell(earlier)
    assert others.told == [(1, "failed")]
    await other.sweep()
    assert others.told == [(1, "failed"), (1, "done")]


async def test_a_job_that_ended_before_there_were_such_facts_is_not_told_of(fakes: ModuleType) -> None:
    others = Others()
    database = fakes.FakeDatabase()
    gateway = Gateway(database, others)
    await gateway.learn(addition_of(SUBMITTED))
    others.away = 1
    await gateway.learn(BROKEN)
    del database.jobs.documents[JOB][ENDS]  # as an earlier version left it
    await gateway.learn(addition_of(UnitFinished(job_id=JOB, stage="transcription", unit="pages-1", units=2)))
    await gateway.sweep()
    assert others.told == []
    await gateway.learn(REPLAYED)
    await gateway.learn(BROKEN_AGAIN)
    assert others.told == [(1, "failed")]


async def test_a_cancelled_run_ends_once_and_a_deleted_job_is_told_of_no_more(fakes: ModuleType) -> None:
    others = Others()
    gateway = Gateway(fakes.FakeDatabase(), others)
    await gateway.learn(addition_of(SUBMITTED))
    assert await gateway.model.cancel(JOB)
    await gateway.sweep()
    await gateway.learn(BROKEN)
    await gateway.learn(rendered())
    assert others.told == [(1, "cancelled")]
    assert await gateway.model.retry(JOB)
    others.away = 1
    await gateway.learn(Failure("rendering", "rendering.guides", "engine", "It broke.", 2, "b").addition())
    await gateway.model.forget(JOB, untold=False)
    await gateway.sweep()
    assert others.told == [(1, "cancelled")]
