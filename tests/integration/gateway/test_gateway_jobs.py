"""Jobs through the HTTP API, over a real database."""

import asyncio
import hashlib
from typing import Any

import pytest

from services.gateway.auth.keys import Identity
from shared.events import JobDeleted, JobSubmitted

CONTENT = bytes(range(256)) * 5000


async def submit(served: Any, content: bytes = CONTENT, **kwargs: Any) -> Any:
    headers = kwargs.pop("headers", {})
    name = kwargs.pop("name", "Week 3.mp4")
    return await served.client.post("/v1/jobs", files={"file": (name, content)}, data=kwargs, headers=headers)


async def test_a_submitted_job_is_stored_published_and_shown(served: Any) -> None:
    answer = await submit(served, paper="us-letter")
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert job["status"] == "submitted"
    assert job["source"]["name"] == "Week 3.mp4"
    assert job["source"]["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert len(job["trace_id"]) == 32
    assert answer.headers["location"] == f"/v1/jobs/{job['job_id']}"
    [(_, event)] = served.publisher.sent
    assert isinstance(event, JobSubmitted)
    assert event.parameters.paper == "us-letter"
    assert await served.gateway.store.read(event.source.key) == CONTENT
    shown = (await served.client.get(answer.headers["location"])).json()
    assert shown == job


async def test_the_callers_trace_is_continued(served: Any) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = await submit(served, headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"})
    assert answer.json()["trace_id"] == trace_id


async def test_an_idempotency_key_makes_one_job_of_concurrent_requests(served: Any) -> None:
    headers = {"Idempotency-Key": "week-3"}
    answers = await asyncio.gather(*(submit(served, headers=headers) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 4
    assert len(served.publisher.sent) == 1
    assert len(served.uploads()) == 1
    again = await submit(served, b"something else", headers=headers)
    assert again.status_code == 422
    assert again.json()["type"].endswith("idempotency-key-reused")
    assert len(served.uploads()) == 1


@pytest.mark.parametrize(
    ("files", "data", "status"),
    [
        ([("file", ("a.mp4", b"x")), ("file", ("b.mp4", b"y"))], {}, 422),
        ([("other", ("a.mp4", b"x"))], {}, 422),
        ([("file", ("a.mp4", b""))], {}, 422),
        ([("file", ("a.mp4", b"x"))], {"paper": "a3"}, 422),
        ([("file", ("a.mp4", b"x"))], {"language": "xx"}, 422),
        ([("file", ("a.mp4", b"x"))], {"paper": "x" * 5000}, 400),
        ([("file", ("a.mp4", b"x" * 3_000_001))], {}, 413),
        ([("file", ("a.mp4", b"x" * 5_000_000))], {}, 413),
        ([("paper", (None, b"a4"))], {}, 422),
    ],
)
async def test_a_refused_form_leaves_nothing_behind(served: Any, files: Any, data: Any, status: int) -> None:
    answer = await served.client.post("/v1/jobs", files=files, data=data)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert served.uploads() == []
    assert served.publisher.sent == []
    assert (await served.client.get("/v1/jobs")).json() == {"jobs": [], "cursor": None}


async def test_a_job_is_published_later_when_the_broker_is_away(served: Any) -> None:
    served.publisher.away = True
    answer = await submit(served)
    assert answer.status_code == 202
    served.publisher.away = False
    sweeper = served.sweeper()
    await sweeper.admit()
    await sweeper.admit()
    [(_, event)] = served.publisher.sent
    assert event.job_id == answer.json()["job_id"]


async def test_deletion_is_final_and_repeatable(served: Any) -> None:
    job_id = (await submit(served)).json()["job_id"]
    event = served.publisher.sent[0][1]
    for _ in range(2):
        assert (await served.client.delete(f"/v1/jobs/{job_id}")).status_code == 204
    assert [type(message) for _, message in served.publisher.sent] == [JobSubmitted, JobDeleted]
    assert served.uploads() == []
    await served.projection.learn(event)
    assert (await served.client.get(f"/v1/jobs/{job_id}")).status_code == 404
    assert (await served.client.get("/v1/jobs")).json()["jobs"] == []


async def test_jobs_of_others_do_not_exist(served: Any) -> None:
    job_id = (await submit(served)).json()["job_id"]
    await served.gateway.keys.register("lk_another-one-of-some-length", Identity("ana"))
    headers = {"Authorization": "Bearer lk_another-one-of-some-length"}
    for path in ("", "/events", "/artifacts/handout.pdf"):
        assert (await served.client.get(f"/v1/jobs/{job_id}{path}", headers=headers)).status_code == 404
    assert (await served.client.delete(f"/v1/jobs/{job_id}", headers=headers)).status_code == 404
    assert (await served.client.get("/v1/jobs", headers=headers)).json()["jobs"] == []


async def test_lists_are_paged_newest_first_and_filtered(served: Any) -> None:
    made = [(await submit(served, b"%d" % number)).json()["job_id"] for number in range(7)]
    found: list[str] = []
    cursor = None
    while True:
        query = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = (await served.client.get("/v1/jobs", params=query)).json()
        found += [job["job_id"] for job in page["jobs"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert sorted(found) == sorted(made)
    times = [(await served.client.get(f"/v1/jobs/{job_id}")).json()["submitted_at"] for job_id in found]
    assert times == sorted(times, reverse=True)
    assert (await served.client.get("/v1/jobs", params={"status": "done"})).json()["jobs"] == []
    assert (await served.client.get("/v1/jobs", params={"cursor": "bm9uc2Vuc2U"})).status_code == 422
