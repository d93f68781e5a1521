"""What HTTP itself asks of every address: methods, ranges, encodings, known parameters, and errors that can be read."""

import gzip
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount

from services.gateway.app import routes_only
from shared.events import Artifact, HandoutRendered, JobSubmitted, SubmittedSource

JOB = "job-00000001"
TEXT = b"Tides rise and fall twice a day. " * 200
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")


async def render(served: Any, name: str = "handout.md", media_type: str = "text/markdown") -> str:
    stored = await served.gateway.store.put_bytes(f"rendering/{JOB}/{name}", TEXT, media_type)
    await served.projection.learn(JobSubmitted(job_id=JOB, source=SubmittedSource(key="inbox/a.mp4", name="a.mp4")))
    await served.projection.learn(
        HandoutRendered(job_id=JOB, title="Tides", artifacts=(Artifact(name=name, object=stored),))
    )
    return f"/v1/jobs/{JOB}/artifacts/{name}"


def _methods_by_path() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for route in iter_route_contexts(routes_only().routes):
        if isinstance(route.original_route, Mount):
            found["/static/page.css"] = {"GET", "HEAD"}
            continue
        path = route.path.replace("{name:path}", "handout.pdf").replace("{job_id}", JOB)
        methods = set(route.methods or ())
        found.setdefault(path, set()).update(methods | ({"HEAD"} if "GET" in methods else set()))
    for path, methods in found.items():  # an address may be one of a wider pattern too
        if path == "/v1/dead-letters/replay":
            methods |= {"GET", "HEAD", "DELETE"}
    return found


PATHS = _methods_by_path()


@pytest.mark.parametrize("path", list(PATHS))
async def test_what_an_address_does_not_take_is_refused_with_what_it_does(served: Any, path: str) -> None:
    for method in METHODS:
        if method in PATHS[path]:
            continue
        answer = await served.client.request(method, path)
        assert answer.status_code == 405, method
        assert set(answer.headers["allow"].split(", ")) == PATHS[path]
        assert answer.headers["content-type"] == "application/problem+json"


def test_the_walk_meets_every_kind_of_address() -> None:
    assert {"/", f"/v1/jobs/{JOB}", "/openapi.json", "/static/page.css", "/v1/dead-letters"} <= PATHS.keys()
    assert PATHS[f"/v1/jobs/{JOB}"] == {"GET", "HEAD", "DELETE"}


@pytest.mark.parametrize(
    "path",
    ["/", "/v1/jobs", f"/v1/jobs/{JOB}", "FILE", f"/v1/jobs/{JOB}/events", "/static/page.css", "/openapi.json"],
)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_head_is_what_get_says_without_its_content(served: Any, path: str, encoding: str) -> None:
    file = await render(served)
    path = file if path == "FILE" else path
    headers = {"Accept-Encoding": encoding}
    head, got = await served.client.head(path, headers=headers), await served.client.get(path, headers=headers)
    assert head.status_code == got.status_code == 200
    assert head.content == b""
    assert dict(head.headers) == dict(got.headers)


async def test_the_head_of_a_stream_that_goes_on_ends(served: Any) -> None:
    await served.projection.learn(JobSubmitted(job_id=JOB, source=SubmittedSource(key="inbox/a.mp4", name="a.mp4")))
    answer = await served.client.head(f"/v1/jobs/{JOB}/events", timeout=5)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.content == b""


async def test_head_of_what_is_not_there(served: Any) -> None:
    answer = await served.client.head("/v1/jobs/job-99999999")
    assert answer.status_code == 404
    assert answer.content == b""


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("bytes=" + "9" * 5000 + "-", 416),
        ("bytes=-" + "9" * 5000, 206),
        ("bytes=0-" + "9" * 5000, 206),
        ("bytes=" + "0" * 5000 + "-", 206),
        ("bytes=" + "0" * 5000, 200),
        ("bytes=-" + "0" * 5000, 416),
        ("bytes=²-", 200),
    ],
)
async def test_ranges_of_any_length_are_answered(served: Any, asked: str, status: int) -> None:
    file = await render(served)
    answer = await served.client.get(file, headers={"Range": asked.encode("latin-1")})
    assert answer.status_code == status
    if status == 416:
        assert answer.headers["content-range"] == f"bytes */{len(TEXT)}"
        assert answer.headers["content-type"] == "application/problem+json"
        assert str(len(TEXT)) in answer.json()["detail"]
    else:
        assert answer.content == TEXT


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("gzip, deflate, br", True),
        ("*", True),
        ("gzip;q=0.5, identity;q=0.2", True),
        ("gzip;q=0", False),
        ("*;q=0, identity", False),
        ("gzip;q=0.2, identity;q=0.9", False),
        ("gzip;q=0, *", False),
        ("notgzip", False),
        ("", False),
    ],
)
async def test_text_is_packed_for_who_asks_for_it(served: Any, accepted: str, packed: bool) -> None:
    file = await render(served)
    async with served.client.stream("GET", file, headers={"Accept-Encoding": accepted}) as answer:
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert answer.headers.get("content-encoding") == ("gzip" if packed else None)
    assert (gzip.decompress(raw) if packed else raw) == TEXT
    assert "accept-encoding" in answer.headers["vary"].lower()
    assert answer.headers["etag"].startswith("W/") == packed


async def test_a_packed_answer_is_revalidated_and_never_continued(served: Any) -> None:
    file = await render(served)
    packed = await served.client.get(file, headers={"Accept-Encoding": "gzip"})
    tag = packed.headers["etag"]
    again = await served.client.get(file, headers={"Accept-Encoding": "gzip", "If-None-Match": tag})
    assert (again.status_code, again.headers["etag"]) == (304, tag)
    ranged = await served.client.get(file, headers={"Accept-Encoding": "gzip", "Range": "bytes=5-9"})
    assert (ranged.status_code, ranged.content) == (206, TEXT[5:10])
    assert "content-encoding" not in ranged.headers
    joined = {"Accept-Encoding": "gzip", "Range": "bytes=5-9", "If-Range": tag}
    assert (await served.client.get(file, headers=joined)).content == TEXT


@pytest.mark.parametrize("media_type", ["application/pdf", "image/png"])
async def test_what_is_packed_already_is_left_alone(served: Any, media_type: str) -> None:
    file = await render(served, "handout.pdf", media_type)
    answer = await served.client.get(file, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    assert int(answer.headers["content-length"]) == len(TEXT)


async def test_events_are_not_packed(served: Any) -> None:
    await render(served)
    answer = await served.client.get(f"/v1/jobs/{JOB}/events", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "named", "allowed"),
    [
        ("GET", "/v1/jobs?statu=done", "statu", "cursor, limit, status"),
        ("GET", f"/v1/jobs/{JOB}?verbose=1", "verbose", "takes none"),
        ("DELETE", "/v1/dead-letters?jobid=x", "jobid", "all, job_id, queue, reason"),
        ("POST", "/v1/jobs?paper=a4", "paper", "takes none"),
        ("GET", "/?stauts=done", "stauts", "cursor, refused, status"),
    ],
)
async def test_unknown_query_parameters_are_refused_with_those_that_there_are(
    served: Any, method: str, path: str, named: str, allowed: str
) -> None:
    answer = await served.client.request(method, path)
    assert answer.status_code == 422
    assert named in answer.json()["detail"]
    assert allowed in answer.json()["detail"]
    assert answer.json()["errors"][0]["field"] == f"query.{named}"


@pytest.mark.parametrize(
    "at",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-12))),
    ],
)
async def test_a_clock_of_another_age_hides_no_job(served: Any, at: datetime) -> None:
    source = SubmittedSource(key="inbox/a.mp4", name="a.mp4")
    for number in range(3):
        event = JobSubmitted(job_id=f"job-0000000{number}", source=source)
        # Such a time is refused today; earlier versions took it.
        await served.projection.learn(event.model_copy(update={"submitted_at": at}))
    found: list[str] = []
    query: dict[str, str] | None = {"limit": "1"}
    while query is not None:
        page = (await served.client.get("/v1/jobs", params=query)).json()
        found += [job["job_id"] for job in page["jobs"]]
        query = {"limit": "1", "cursor": page["cursor"]} if page["cursor"] else None
    assert sorted(found) == ["job-00000000", "job-00000001", "job-00000002"]


@pytest.mark.parametrize("path", ["/nothing", f"/v1/jobs/{JOB}", "/v1/jobs?limit=0"])
async def test_a_browser_gets_a_page_and_a_program_problem_details(served: Any, path: str) -> None:
    page = await served.client.get(path, headers={"Accept": BROWSER})
    data = await served.client.get(path)
    assert page.status_code == data.status_code
    assert page.headers["content-type"].startswith("text/html")
    assert data.headers["content-type"] == "application/problem+json"
    assert "accept" in page.headers["vary"].lower()
    assert data.json()["detail"] in re.sub("</?code>", "`", page.text)
    assert 'href="/"' in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/html;q=0.5", "text/html;q=0"])
async def test_programs_are_not_sent_pages(served: Any, accept: str) -> None:
    answer = await served.client.get("/nothing", headers={"Accept": accept})
    assert answer.headers["content-type"] == "application/problem+json"


def test_operation_ids_name_methods_of_a_client() -> None:
    document = routes_only().openapi()
    found = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(found) == len(set(found)) > 10
    verbs = {"submit", "list", "get", "delete", "cancel", "retry", "follow", "replay", "purge", "create", "revoke"}
    assert {name.split("_")[0] for name in found} <= verbs
    assert all("_" in name and name == name.lower() for name in found)
