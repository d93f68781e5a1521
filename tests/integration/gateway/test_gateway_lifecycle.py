"""Cancel, retry, fair share, silence and expiry, over a real database."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.gateway.auth.keys import Identity
from services.gateway.jobs.facts import Failure, addition_of
from services.gateway.jobs.watchdog import NUDGES, PATIENCE
from shared.events import Artifact, HandoutRendered, JobCancelled, JobDeleted, JobEnded, JobSubmitted
from shared.storage import ObjectRef

REF = ObjectRef(key="rendering/a/b", sha256="0" * 64, size=7)
ANA = {"Authorization": "Bearer lk_another-one-of-some-length"}


async def submit(served: Any, content: bytes = b"x", headers: dict[str, str] | None = None) -> str:
    answer = await served.client.post("/v1/jobs", files={"file": ("a.mp4", content)}, headers=headers)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job_id"])


async def status(served: Any, job_id: str) -> str:
    return str((await served.client.get(f"/v1/jobs/{job_id}")).json()["status"])


def rendered(job_id: str, *missing: str, run: int = 1) -> HandoutRendered:
    artifacts = (Artifact(name="handout.pdf", object=REF),)
    return HandoutRendered(job_id=job_id, title="Tides", artifacts=artifacts, missing=missing, run=run)


async def fail(served: Any, job_id: str, run: int = 1) -> None:
    failure = Failure("rendering", "rendering.guides", "engine", "It broke.", run, f"letter{run}")
    await served.gateway.read_model.add(job_id, failure.addition())


def sent(served: Any, kind: type) -> list[Any]:
    return [message for _, message in served.publisher.sent if isinstance(message, kind)]


async def age(served: Any, job_id: str, seconds: float) -> None:
    """Let the job's last sign of life lie in the past."""
    then = datetime.now(UTC) - timedelta(seconds=seconds)
    await served.database["jobs"].update_one({"_id": job_id}, {"$set": {"changed_at": then}})


async def test_a_cancelled_job_is_told_once_and_stays_cancelled(served: Any) -> None:
    job_id = await submit(served)
    answers = await asyncio.gather(*(served.client.post(f"/v1/jobs/{job_id}/cancel") for _ in range(3)))
    assert {answer.status_code for answer in answers} == {202}
    assert {answer.json()["status"] for answer in answers} == {"cancelled"}
    assert {event.run for event in sent(served, JobCancelled)} == {1}
    await served.projection.learn(rendered(job_id))
    await fail(served, job_id)
    assert await status(served, job_id) == "cancelled"


async def test_what_has_ended_cannot_be_cancelled(served: Any) -> None:
    job_id = await submit(served)
    await served.projection.learn(rendered(job_id))
    answer = await served.client.post(f"/v1/jobs/{job_id}/cancel")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert await status(served, job_id) == "done"
    assert sent(served, JobCancelled) == []


async def test_a_cancellation_is_told_later_when_the_broker_is_away(served: Any) -> None:
    job_id = await submit(served)
    served.publisher.away = True
    assert (await served.client.post(f"/v1/jobs/{job_id}/cancel")).status_code == 202
    assert await status(served, job_id) == "cancelled"
    served.publisher.away = False
    sweeper = served.sweeper()
    await sweeper.tell()
    await sweeper.tell()
    assert [event.job_id for event in sent(served, JobCancelled)] == [job_id]


async def test_a_job_that_waits_is_cancelled_before_it_was_ever_published(served: Any) -> None:
    jobs = [await submit(served, b"%d" % number) for number in range(3)]
    assert (await served.client.post(f"/v1/jobs/{jobs[2]}/cancel")).status_code == 202
    await served.projection.learn(rendered(jobs[0]))
    await served.sweeper().admit()
    assert [event.job_id for event in sent(served, JobSubmitted)] == jobs[:2]


@pytest.mark.parametrize("how", ["failed", "partial", "cancelled"])
async def test_a_retry_is_the_same_submission_in_a_further_run(served: Any, how: str) -> None:
    job_id = await submit(served)
    if how == "failed":
        await fail(served, job_id)
    elif how == "partial":
        await served.projection.learn(rendered(job_id, "html: it broke"))
    else:
        await served.client.post(f"/v1/jobs/{job_id}/cancel")
    assert await status(served, job_id) == how
    answer = await served.client.post(f"/v1/jobs/{job_id}/retry")
    assert answer.status_code == 202, answer.text
    assert (answer.json()["status"], answer.json()["run"], answer.json()["error"]) == ("running", 2, None)
    first, second = sent(served, JobSubmitted)
    assert second == first.model_copy(update={"run": 2})
    assert (await served.client.post(f"/v1/jobs/{job_id}/retry")).status_code == 409
    await served.projection.learn(rendered(job_id, run=2))
    assert await status(served, job_id) == "done"
    assert (await served.client.post(f"/v1/jobs/{job_id}/retry")).status_code == 409


async def test_a_retry_that_fails_leaves_what_was_there(served: Any) -> None:
    job_id = await submit(served)
    await served.projection.learn(rendered(job_id, "html: it broke"))
    await served.client.post(f"/v1/jobs/{job_id}/retry")
    await fail(served, job_id, run=2)
    job = (await served.client.get(f"/v1/jobs/{job_id}")).json()
    assert job["status"] == "partial"
    assert [artifact["name"] for artifact in job["artifacts"]] == ["handout.pdf"]
    assert job["error"]["message"] == "It broke."


@pytest.mark.parametrize("verb", ["cancel", "retry"])
async def test_nobody_touches_the_jobs_of_others(served: Any, verb: str) -> None:
    job_id = await submit(served)
    await served.gateway.keys.register("lk_another-one-of-some-length", Identity("ana"))
    assert (await served.client.post(f"/v1/jobs/{job_id}/{verb}", headers=ANA)).status_code == 404
    assert await status(served, job_id) == "submitted"


async def test_one_user_s_many_jobs_do_not_stand_before_another_s_first(served: Any) -> None:
    await served.gateway.keys.register("lk_another-one-of-some-length", Identity("ana"))
    mine = [await submit(served, b"%d" % number) for number in range(10)]
    hers = await submit(served, b"hers", ANA)
    assert [event.job_id for event in sent(served, JobSubmitted)] == [*mine[:2], hers]
    for number in range(8):  # as one ends, the next comes in, oldest first
        await served.projection.learn(rendered(mine[number]))
        assert sent(served, JobSubmitted)[-1].job_id == mine[number + 2]
    assert len(sent(served, JobSubmitted)) == 11


async def test_the_sweeper_lets_in_whom_a_killed_gateway_forgot(served: Any) -> None:
    jobs = [await submit(served, b"%d" % number) for number in range(4)]
    model = served.gateway.read_model
    for job_id in jobs[:2]:
        await model.add(job_id, addition_of(rendered(job_id)))  # nobody told the admission
    await asyncio.gather(*(served.sweeper().admit() for _ in range(3)))
    assert [event.job_id for event in sent(served, JobSubmitted)] == jobs


async def test_a_silent_job_is_published_again_and_in_the_end_fails(served: Any) -> None:
    job_id = await submit(served)
    sweeper = served.sweeper(silent_s=60)
    for nudges in range(1, NUDGES + 1):
        await age(served, job_id, 61)
        # Two gateways look at the same moment: one acts.
        await asyncio.gather(sweeper._watchdog.look(), served.sweeper(silent_s=60)._watchdog.look())
        assert len(sent(served, JobSubmitted)) == 1 + nudges
    await age(served, job_id, 61)
    await sweeper._watchdog.look()
    job = (await served.client.get(f"/v1/jobs/{job_id}")).json()
    assert (job["status"], job["error"]["code"], job["error"]["stage"]) == ("failed", "stuck", "ingest")
    await sweeper.tell()
    await sweeper.tell()
    (ended,) = sent(served, JobEnded)
    assert (ended.job_id, ended.status, ended.error.code) == (job_id, "failed", "stuck")
    assert (await served.client.post(f"/v1/jobs/{job_id}/retry")).status_code == 202


async def test_a_sign_of_life_counts(served: Any) -> None:
    job_id = await submit(served)
    watchdog = served.sweeper(silent_s=60)._watchdog
    for _ in range(2 * NUDGES):
        await age(served, job_id, 59)
        await watchdog.look()
    assert len(sent(served, JobSubmitted)) == 1


async def test_a_job_behind_a_long_queue_is_not_given_up(served: Any) -> None:
    job_id = await submit(served)
    watchdog = served.sweeper(silent_s=60, waiting=400)._watchdog
    await age(served, job_id, 61)
    await watchdog.look()
    assert len(sent(served, JobSubmitted)) == 1
    for _ in range(2 * NUDGES):
        await age(served, job_id, 60 * PATIENCE + 1)
        await watchdog.look()
    assert len(sent(served, JobSubmitted)) == 1 + 2 * NUDGES
    assert await status(served, job_id) == "submitted"


async def test_jobs_that_wait_their_turn_are_not_silent(served: Any) -> None:
    jobs = [await submit(served, b"%d" % number) for number in range(3)]
    await age(served, jobs[2], 10_000)
    await served.sweeper(silent_s=60)._watchdog.look()
    assert len(sent(served, JobSubmitted)) == 2


async def test_ended_jobs_expire_each_kind_in_its_time(served: Any) -> None:
    failed, done, running = [await submit(served, b"%d" % number) for number in range(3)]
    await fail(served, failed)
    await served.projection.learn(rendered(done))
    for job_id in (failed, done, running):
        await age(served, job_id, 2 * 86_400)
    await served.sweeper(failed_days=1, done_days=None).expire()
    assert [event.job_id for event in sent(served, JobDeleted)] == [failed]
    await served.sweeper(failed_days=1, done_days=1).expire()
    assert [event.job_id for event in sent(served, JobDeleted)] == [failed, done]
    assert await status(served, running) == "submitted"
    assert len(served.uploads()) == 1


async def test_news_of_a_job_that_never_was_is_forgotten(served: Any) -> None:
    model = served.gateway.read_model
    for job_id in ("stranger-1", "stranger-2"):
        await served.projection.learn(rendered(job_id))
    kept = await submit(served)
    await age(served, "stranger-1", 2 * 86_400)
    await age(served, kept, 2 * 86_400)
    await served.sweeper().expire()
    assert [await model.document(job_id) is None for job_id in ("stranger-1", "stranger-2", kept)] == [
        True,
        False,
        False,
    ]


async def test_an_upload_that_became_no_job_is_removed_in_time(served: Any) -> None:
    job_id = await submit(served)
    store = served.gateway.store
    await store.put_bytes("gateway/uploads/job-of-nobody/abc/source", b"x", "text/plain")
    await served.sweeper().remove_orphans()
    assert len(served.uploads()) == 2
    await served.sweeper(orphan_age_s=-1).remove_orphans()
    [left] = served.uploads()
    assert job_id in str(left)


async def test_a_hundred_submissions_at_once_are_answered_and_looked_through_together(served: Any) -> None:
    outlook, looks = served.gateway.outlook, 0
    real = outlook.active

    async def counted(owner: str, limit: int) -> int:
        nonlocal looks
        looks += 1
        return int(await real(owner, limit))

    outlook.active = counted
    jobs = await asyncio.gather(*(submit(served, b"%d" % number) for number in range(100)))
    assert len(set(jobs)) == 100
    assert looks < 100
    for _ in range(600):
        if len(sent(served, JobSubmitted)) == 2:
            break
        await asyncio.sleep(0.05)
    assert len(sent(served, JobSubmitted)) == 2
