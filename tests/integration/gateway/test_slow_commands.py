"""Slow database commands are logged, and those of every day are served by an index (OPS-2)."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from structlog.testing import capture_logs

from services.gateway.app import assemble, prepare
from services.gateway.auth.keys import Identity
from services.gateway.dead_letters.letter import DeadLetter, Properties
from services.gateway.dead_letters.letters import LetterFilter
from services.gateway.jobs.facts import addition_of
from services.gateway.parts import Gateway
from services.gateway.settings import GatewaySettings
from shared import slow_commands
from shared.checkpoints import Checkpoints
from shared.database import Database, open_database
from shared.events import JobSubmitted, SourceFacts, SourceIngested, SubmittedSource, new_job_id
from shared.settings import SharedSettings
from shared.storage import ObjectRef
from shared.storage.local import LocalObjectStore
from shared.telemetry import current_work, work_on
from tests.integration.gateway.conftest import RecordingPublisher

OWNER = "ada"
REF = ObjectRef(key="a/b", sha256="0" * 64, size=1, media_type="audio/wav")
Line = MutableMapping[str, Any]


@asynccontextmanager
async def opened(settings: SharedSettings, lines: list[Line]) -> AsyncIterator[Database]:
    """A database; what was slow in it is in `lines` afterwards."""
    with capture_logs() as logged:
        async with open_database(settings, "gateway") as database:
            yield database
    lines += [line for line in logged if line["event"] == "slow database command"]


@pytest.fixture
def settings(tmp_path: Path, mongo_url: str, database_name: str) -> SharedSettings:
    return SharedSettings(home=tmp_path, mongo_url=mongo_url, mongo_prefix=database_name, slow_query_ms=0)


def event(job_id: str) -> JobSubmitted:
    source = SubmittedSource(key=f"gateway/uploads/{job_id}/source", name="week-3.mp4", sha256="0" * 64, size=4)
    return JobSubmitted(job_id=job_id, owner=OWNER, source=source)


async def test_a_slow_command_is_logged_with_its_shape_its_index_and_its_job(settings: SharedSettings) -> None:
    lines: list[Line] = []
    seen: list[tuple[int, dict[str, Any], str]] = []

    class Log:
        def warning(self, _event: str, **said: Any) -> None:
            span = trace.get_current_span().get_span_context()
            seen.append((threading.get_ident(), {**said, **current_work()}, trace.format_trace_id(span.trace_id)))

    async with opened(settings, lines) as database:
        await database["jobs"].create_index([("owner", 1), ("order", -1)])
        with pytest.MonkeyPatch.context() as patch, work_on(job_id="job-1", stage="ingest"):
            patch.setattr(slow_commands, "log", Log())
            with trace.get_tracer("test").start_as_current_span("unit") as span:
                await database["jobs"].find_one({"owner": "ada@example.org", "order": {"$lt": 7}})
            while not seen:
                await asyncio.sleep(0.01)
    ((thread, said, trace_id),) = seen
    assert thread == threading.get_ident(), "nothing is written in the driver's threads"
    assert said["ms"] >= 0
    assert said.pop("ms") < 60_000
    assert json.loads(said.pop("shape")) == {"filter": {"owner": "?", "order": {"$lt": "?"}}}
    assert said == {
        "command": "find",
        "database": f"{settings.mongo_prefix}_gateway",
        "collection": "jobs",
        "index": "owner_1_order_-1",
        "job_id": "job-1",
        "stage": "ingest",
    }
    assert trace_id == trace.format_trace_id(span.get_span_context().trace_id)


async def test_a_search_without_an_index_is_called_that_and_no_value_is_logged(settings: SharedSettings) -> None:
    lines: list[Line] = []
    async with opened(settings, lines) as database:
        await database["jobs"].insert_one({"_id": "1", "title": "my secret"})
        await database["jobs"].update_one({"title": "my secret"}, {"$set": {"title": "another secret"}})
        await database["jobs"].delete_many({"title": {"$in": ["another secret"]}})
    said = {(line["command"], line.get("index")) for line in lines}
    assert said == {("insert", None), ("update", "COLLSCAN"), ("delete", "COLLSCAN")}
    assert "secret" not in json.dumps(lines)


async def test_quick_commands_are_not_logged(settings: SharedSettings) -> None:
    lines: list[Line] = []
    async with opened(settings.model_copy(update={"slow_query_ms": 60_000}), lines) as database:
        await database["jobs"].find_one({"owner": OWNER})
    assert lines == []


async def test_a_slow_command_that_failed_is_logged_as_well(settings: SharedSettings) -> None:
    lines: list[Line] = []
    async with opened(settings, lines) as database:
        with pytest.raises(Exception, match="nonsense"):
            await database["jobs"].find_one({"owner": {"$nonsense": "secret"}})
    (line,) = lines
    assert line["failed"] is True
    assert "secret" not in json.dumps(line)


async def use_jobs(gateway: Gateway) -> None:
    """Everything that happens to jobs, by owners, by events and by the sweepers.

    But for `forget_unowned`, once an hour: what has no owner is in no index of the embedded database.
    """
    model, outlook, now = gateway.read_model, gateway.outlook, datetime.now(UTC)
    ids = [new_job_id() for _ in range(30)]
    for job_id in ids:
        await model.insert(event(job_id), trace_id=None, traceparent=None)
    facts = SourceFacts(kind="recording", name="week-3.mp4", duration_s=1)
    await model.add(ids[0], addition_of(SourceIngested(job_id=ids[0], facts=facts, original=REF, source=REF)))
    await gateway.admission.admit(OWNER)
    await model.page(OWNER, status=None, before=None, limit=5)
    await model.page(OWNER, status="failed", before="9", limit=5)
    await model.get(OWNER, ids[0])
    await model.artifact(OWNER, ids[0], "handout.pdf")
    await model.cancel(ids[1])
    await model.retry(ids[1])
    await model.is_deleted(ids[1])
    await model.forget(ids[2], untold=True)
    for document in await outlook.untold("submission", since_before=now):
        await model.settle(document)
    await outlook.untold_ends(since_before=now)
    await outlook.waiting(OWNER, 3)
    await outlook.waiting_owners()
    await outlook.silent(since_before=now)
    await outlook.expired(("failed", "cancelled"), since_before=now)
    await outlook.sources(ids[:3])


async def use_letters(gateway: Gateway) -> None:
    """Everything that happens to dead letters but a purge of all, which reads them all."""
    letters = gateway.dead_letters.letters
    for number in range(30):
        letter = DeadLetter(
            letter=f"{number:024d}",
            replays=0,
            queue=("transcription.speech", "ingest.submissions")[number % 2],
            job_id=f"job-{number}",
            reason="attempts-exhausted",
            code="engine",
            public_message="",
            attempts=3,
            history=(),
            trace_id=None,
            body=b"{}",
            headers={},
            properties=Properties(),
        )
        await letters.keep(letter)
    for chosen in (LetterFilter(), LetterFilter(queue="transcription.speech"), LetterFilter(job_id="job-1")):
        await letters.page(chosen, before="9", limit=5)
    await letters.claim(f"{1:024d}-0")
    await letters.claimed(idle=timedelta(0), limit=5)
    await letters.take_up(f"{1:024d}-0", idle=timedelta(0))
    await letters.sent(f"{1:024d}-0")
    await letters.purge(f"{2:024d}-0")
    await letters.purge_job("job-3")


async def use_sign_in(gateway: Gateway) -> None:
    """Keys, sessions and links."""
    identity = Identity(OWNER, True, None)
    await gateway.keys.register("lk_key-of-this-test-and-no-other", identity)
    known = await gateway.keys.identify("lk_key-of-this-test-and-no-other")
    assert known is not None
    secret = await gateway.sessions.begin(known)
    assert await gateway.sessions.find(secret)
    await gateway.sessions.end(secret)
    token, _ = await gateway.sessions.make_link(known)
    assert await gateway.sessions.use_link(token)
    while gateway.keys._notes:  # the use of a key is written down beside
        await asyncio.sleep(0.01)


async def use_checkpoints(database: Database, store: LocalObjectStore) -> None:
    """What a worker does for a job."""
    checkpoints, submitted = Checkpoints(database, store, "ingest"), event(new_job_id())

    async def compute() -> SourceIngested:
        facts = SourceFacts(kind="recording", name="week-3.mp4", duration_s=1)
        return SourceIngested(**submitted.job(), facts=facts, original=REF, source=REF)

    for _ in range(2):
        await checkpoints.run(submitted, "source", compute, SourceIngested)
    await checkpoints.cancel(submitted)
    await checkpoints.forget(submitted.job_id)


async def test_what_is_asked_every_day_is_served_by_an_index(settings: SharedSettings, tmp_path: Path) -> None:
    lines: list[Line] = []
    store = LocalObjectStore(tmp_path)
    async with opened(settings.model_copy(update={"slow_query_ms": 60_000}), []) as database:
        gateway = assemble(GatewaySettings(), settings, store, database, RecordingPublisher())
        await prepare(gateway, settings, database)
    async with opened(settings, lines) as database:
        gateway = assemble(GatewaySettings(), settings, store, database, RecordingPublisher())
        await use_jobs(gateway)
        await use_letters(gateway)
        await use_sign_in(gateway)
        await use_checkpoints(database, store)
    searches = [line for line in lines if line["command"] in {"find", "update", "delete", "findAndModify"}]
    assert {line["collection"] for line in searches} == {
        "jobs",
        "dead_letters",
        "api_keys",
        "sessions",
        "sign_in_links",
        "checkpoints",
    }
    assert len({line["shape"] for line in searches}) > 25
    unserved = {(line["shape"], line.get("index")) for line in searches if line.get("index") in (None, "COLLSCAN")}
    assert unserved == set()
