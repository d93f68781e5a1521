"""Of several gateways on one database, one publishes a waiting job."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.gateway.jobs.admission import Admission
from services.gateway.jobs.outlook import Outlook
from services.gateway.jobs.read_model import ReadModel
from services.gateway.jobs.wakeups import Wakeups
from shared.events import JobSubmitted
from shared.telemetry import work_on

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="session")]


async def submit(served: Any, body: bytes = b"source") -> str:
    answer = await served.client.post("/v1/jobs", files=[("file", ("a.mp4", body))])
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job_id"])


def another_gateway(served: Any, at_once: int = 2) -> Admission:
    """The admission of a further gateway, which publishes to the same place."""
    return Admission(ReadModel(served.database, Wakeups()), Outlook(served.database), served.publisher, at_once=at_once)


def published(served: Any) -> list[str]:
    return [event.job_id for _, event in served.publisher.sent if isinstance(event, JobSubmitted)]


async def test_a_job_that_is_being_published_is_left_to_its_gateway(served: Any) -> None:
    other = another_gateway(served)

    async def look() -> None:
        served.publisher.meanwhile = None
        with work_on():
            await other.admit("local")

    served.publisher.meanwhile = look
    job_id = await submit(served)
    assert published(served) == [job_id]


async def test_gateways_that_see_the_same_waiting_job_publish_it_once(served: Any) -> None:
    served.publisher.away = True
    jobs = [await submit(served, b"%d" % number) for number in range(6)]
    served.publisher.away = False
    long_ago = datetime.now(UTC) - timedelta(minutes=1)
    await served.database["jobs"].update_many({}, {"$set": {"claim.until": long_ago}})
    others = [another_gateway(served, at_once=10) for _ in range(3)]
    await asyncio.gather(*(other.admit("local") for other in others))
    assert sorted(published(served)) == sorted(jobs)


async def test_the_jobs_of_a_gateway_that_was_killed_are_published_by_the_next(served: Any) -> None:
    served.publisher.away = True
    job_id = await submit(served)
    served.publisher.away = False
    other = another_gateway(served)
    await other.admit("local")
    assert published(served) == []
    await served.database["jobs"].update_one(
        {"_id": job_id}, {"$set": {"claim.until": datetime.now(UTC) - timedelta(seconds=1)}}
    )
    await other.admit("local")
    await other.admit("local")
    assert published(served) == [job_id]
    document = await served.database["jobs"].find_one({"_id": job_id})
    assert not document.keys() & {"pending", "pending_since", "claim"}


async def test_a_further_run_is_published_whoever_claimed_the_first(served: Any) -> None:
    served.publisher.away = True
    job_id = await submit(served)
    served.publisher.away = False
    await served.client.post(f"/v1/jobs/{job_id}/cancel")
    other = another_gateway(served)
    assert await ReadModel(served.database, Wakeups()).retry(job_id)
    await other.admit("local")
    assert published(served) == [job_id]
