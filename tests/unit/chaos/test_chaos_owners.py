"""The reckoning sees a job in two owners' lists, an answer about another's job, a torn trace and an untold end."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.events import JobSubmitted
from shared.messaging.content import content_of
from shared.messaging.job_trace import derived_trace_id
from tests.chaos import ends, traces
from tests.chaos.cases import Way, Wish
from tests.chaos.clients import Account
from tests.chaos.connections import Connections
from tests.chaos.content import Content
from tests.chaos.owners import Owners, separation_findings, shared_findings
from tests.chaos.submitter import letter_of
from tests.chaos.tap import Letter

JOB = "0192f3c4-7a1e-4d3c-9c55-6d1f0a2b3c4d"
TRACE = "a" * 32
DONE: dict[str, Any] = {
    "job_id": JOB, "run": 1, "status": "done", "title": "T", "trace_id": TRACE, "artifacts": [{"name": "handout.pdf"}]
}  # fmt: skip


async def _separation(gateway: Callable[[httpx.Request], httpx.Response]) -> list[str]:
    connections = Connections("http://gateway", random.Random(1))
    await connections.http.aclose()
    connections.http = httpx.AsyncClient(base_url="http://gateway", transport=httpx.MockTransport(gateway))
    owners = Owners(connections, "key")
    owners.accounts["ana"] = Account(connections, "ana", "other", owners.administrator)
    try:
        return await separation_findings(owners, {"local": {JOB: DONE}, "ana": {}}, random.Random(1))
    finally:
        await connections.close()


async def test_owners_who_are_kept_apart_are_in_order() -> None:
    def gateway(request: httpx.Request) -> httpx.Response:
        return httpx.Response(404 if request.url.path.startswith("/v1/jobs") else 403)

    assert await _separation(gateway) == []


@pytest.mark.parametrize("leak", ["/events", "/artifacts/handout.pdf", "/cancel", "/v1/keys", "/v1/dead-letters"])
async def test_an_answer_about_what_is_another_s_is_found(leak: str) -> None:
    def gateway(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(leak):
            return httpx.Response(200)
        return httpx.Response(404 if request.url.path.startswith("/v1/jobs") else 403)

    assert len(await _separation(gateway)) == 1


def test_a_job_in_the_lists_of_two_is_found() -> None:
    assert shared_findings({"ana": {"a"}, "ben": {"b"}}) == []
    assert len(shared_findings({"ana": {"a", "c"}, "ben": {"b", "c"}})) == 1


def test_a_job_is_one_trace() -> None:
    jobs = {JOB: DONE}
    assert traces.findings(jobs, [(JOB, TRACE, "here"), ("another-job", "b" * 32, "there")], set()) == []
    assert len(traces.findings(jobs, [(JOB, "b" * 32, "here")], set())) == 1
    assert len(traces.findings({JOB: {**DONE, "trace_id": None}}, [], set())) == 1
    derived = [(JOB, derived_trace_id(JOB), "what a stranger sent")]
    assert len(traces.findings(jobs, derived, set())) == 1
    assert traces.findings(jobs, derived, {JOB}) == []


def test_log_lines_about_the_work_on_a_job_are_seen_and_those_of_requests_are_not(tmp_path: Path) -> None:
    about = {"job_id": JOB, "trace_id": TRACE}
    lines = [
        {**about, "event": "message will be retried", "queue": "ingest.submissions"},
        {**about, "event": "request", "method": "GET"},
        {**about, "event": "message buried", "queue": "ingest.submissions", "message_id": "hostile-3"},
        {"event": "service is ready"},
    ]
    (tmp_path / "ingest.log").write_text("Traceback\n" + "\n".join(map(json.dumps, lines)))
    assert [(job, trace) for job, trace, _ in traces.of_logs(tmp_path)] == [(JOB, TRACE)]


def test_the_end_of_a_job_is_told_in_the_words_of_the_api() -> None:
    told = Letter("", "job.ended.v1", json.dumps({**DONE, "owner": "ana"}).encode(), {})
    assert ends.findings({JOB: DONE}, {JOB: "ana"}, [told]) == []
    for other in ({"status": "partial"}, {"owner": "ben"}, {"trace_id": "b" * 32}, {"run": 2}, {"artifacts": []}):
        wrong = Letter("", "job.ended.v1", json.dumps({**DONE, "owner": "ana", **other}).encode(), {})
        assert len(ends.findings({JOB: DONE}, {JOB: "ana"}, [wrong])) == 1
    assert ends.findings({JOB: {**DONE, "status": "running"}}, {JOB: "ana"}, []) == []


@pytest.mark.parametrize("way", ["bare", "binary", "structured"])
@pytest.mark.parametrize("number", [1, 2])
def test_each_form_of_an_event_is_a_submission(way: Way, number: int) -> None:
    wish = Wish(number, 0, Content(name="talk.wav"), JOB, way=way, owner="ana")
    letter = letter_of(wish, "inbox/chaos/talk.wav")
    event = JobSubmitted.model_validate(content_of(letter.body, letter.content_type).data)
    assert (event.job_id, event.owner, event.source.key) == (JOB, "ana", "inbox/chaos/talk.wav")
    assert wish.by_event
