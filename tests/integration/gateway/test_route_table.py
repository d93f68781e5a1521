"""What holds at every address of the gateway, walked over its own table of routes (F12, GAT-10)."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
import pytest_asyncio
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount

from services.gateway.app import routes_only
from shared.events import Artifact, HandoutRendered, JobSubmitted, SubmittedSource

JOB = "job-00000001"
FILES = {"handout.pdf": "application/pdf", "handout.html": "text/html", "slides/001.png": "image/png"}
TEXT = b"<p>Tides rise and fall twice a day.</p>" * 200
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
STATIC = ("page.css", "api_reference.css", "page.js", "htmx.min.js", "icon.svg")
# Somebody else's programs ask these, with whatever they add to defeat a cache.
ANY_QUERY = ("/static/", "/health/")


def _routes() -> Iterator[tuple[str, frozenset[str]]]:
    """Path and methods of every route; in paths stand things that exist."""
    for route in iter_route_contexts(routes_only().routes):
        if isinstance(route.original_route, Mount):
            for name in STATIC:
                yield f"{route.path}/{name}", frozenset({"GET"})
            continue
        path = route.path.replace("{name:path}", "handout.html").replace("{job_id}", JOB)
        yield path, frozenset(route.methods or ()) - {"HEAD"}


ROUTES = list(_routes())
GETS = sorted({path for path, methods in ROUTES if "GET" in methods and "{" not in path})


@dataclass(frozen=True)
class Walked:
    served: Any
    client: httpx.AsyncClient


@pytest_asyncio.fixture(loop_scope="session")
async def walked(served: Any) -> AsyncIterator[Walked]:
    """A gateway with a finished job, whose files lie in its store."""
    await served.projection.learn(
        JobSubmitted(job_id=JOB, source=SubmittedSource(key="inbox/a.mp4", name="Woche 3 – Gezeiten?#.mp4"))
    )
    artifacts = []
    for name, media_type in FILES.items():
        stored = await served.gateway.store.put_bytes(f"rendering/{JOB}/{name}", TEXT, media_type)
        artifacts.append(Artifact(name=name, object=stored))
    await served.projection.learn(HandoutRendered(job_id=JOB, title="Tides", artifacts=tuple(artifacts)))
    yield Walked(served, served.client)


def test_the_table_is_whole() -> None:
    assert {"/", "/docs", "/v1/keys", f"/v1/jobs/{JOB}/artifacts/handout.html", "/static/page.css"} <= set(GETS)
    assert len(ROUTES) > 25


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_head_is_what_get_says_without_its_content(walked: Walked, encoding: str) -> None:
    headers = {"Accept-Encoding": encoding}
    await walked.client.get("/v1/keys")  # from now on the key was used
    for path in GETS:
        got = await walked.client.get(path, headers=headers)
        head = await walked.client.head(path, headers=headers)
        assert (path, head.status_code, head.content) == (path, got.status_code, b"")
        assert (path, dict(head.headers)) == (path, dict(got.headers))


async def test_text_is_packed_where_that_is_asked_for(walked: Walked) -> None:
    sizes = {}
    for path in GETS:
        plain = await walked.client.get(path, headers={"Accept-Encoding": "identity"})
        packed = await walked.client.get(path, headers={"Accept-Encoding": "gzip"})
        assert (path, len(packed.content)) == (path, len(plain.content))
        kind = plain.headers.get("content-type", "").partition(";")[0]
        is_text = kind.startswith("text/") or kind.endswith(("json", "javascript"))
        wanted = is_text and kind != "text/event-stream" and len(plain.content) > 500
        assert (path, packed.headers.get("content-encoding")) == (path, "gzip" if wanted else None)
        if wanted:
            assert (path, "accept-encoding" in plain.headers["vary"].lower()) == (path, True)
            sizes[path] = int(packed.headers.get("content-length", 0)) / len(plain.content)
    assert len(sizes) > 6
    assert max(sizes.values()) < 0.6


async def test_a_range_that_is_not_there_is_refused_where_ranges_are_served(walked: Walked) -> None:
    served = []
    for path in GETS:
        whole = await walked.client.get(path)
        answer = await walked.client.get(path, headers={"Range": "bytes=99999999-"})
        if whole.headers.get("accept-ranges", "none") == "none":
            assert (path, answer.status_code) == (path, whole.status_code)
            continue
        served.append(path)
        assert (path, answer.status_code, answer.json()["status"]) == (path, 416, 416)
        assert answer.headers["content-range"] == f"bytes */{len(whole.content)}"
        assert answer.headers["content-type"] == "application/problem+json"
    assert served == [f"/v1/jobs/{JOB}/artifacts/handout.html"]


async def test_no_address_takes_a_query_that_it_does_not_know(walked: Walked) -> None:
    for path, methods in ROUTES:
        if path.startswith(ANY_QUERY):
            continue
        there = path.replace("{letter_id}", "0" * 24 + "-0").replace("{key_id}", "0" * 12)
        for method in methods:
            answer = await walked.client.request(method, f"{there}?nonsense=1")
            assert (method, path, answer.status_code) == (method, path, 422)
            assert "'nonsense'" in answer.json()["detail"]
            assert [fault["field"] for fault in answer.json()["errors"]] == ["query.nonsense"]
    assert (await walked.client.get(f"/v1/jobs/{JOB}")).json()["status"] == "done"  # nothing was done


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag
        self.found |= {value for name, value in attrs if name in ("href", "src", "hx-get") and value}


def _links(answer: httpx.Response) -> set[str]:
    """Every address that an answer gives: in its headers, its JSON, its page."""
    found = {answer.headers[name] for name in ("location", "content-location") if name in answer.headers}
    kind = answer.headers.get("content-type", "")
    if kind.startswith("application/json"):
        found |= set(_urls(answer.json()))
    elif kind.startswith("text/html"):
        links = _Links()
        links.feed(answer.text)
        found |= links.found
        found |= set(re.findall(r'url=([^"]+)"', answer.text))
    return found


def _urls(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        for name, value in content.items():
            if name.endswith("url") and isinstance(value, str):
                yield value
            yield from _urls(value)
    elif isinstance(content, list):
        for value in content:
            yield from _urls(value)


async def _walk(client: httpx.AsyncClient, start: set[str], accept: str) -> dict[str, int]:
    """The status of everything that can be reached from `start`, by path and query."""
    seen: dict[str, int] = {}
    left = set(start)
    while left:
        path = left.pop()
        answer = await client.get(path, headers={"Accept": accept}, timeout=20)
        seen[path] = answer.status_code
        for link in _links(answer):
            parts = urlsplit(urljoin(f"http://lectern.test{path}", link))
            assert parts.netloc == "lectern.test", link
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            if target not in seen and parts.path not in ("/openapi.json", "/asyncapi.json"):
                left.add(target)
    return seen


async def test_every_url_that_the_api_gives_can_be_followed_with_the_same_key(walked: Walked) -> None:
    submitted = await walked.client.post("/v1/jobs", files={"file": ("week-3.mp4", b"content")})
    start = {submitted.headers["location"], "/v1/jobs", f"/v1/jobs/{JOB}", "/v1/dead-letters", "/v1/keys"}
    seen = await _walk(walked.client, start, "application/json")
    assert set(seen.values()) == {200}
    assert {f"/v1/jobs/{JOB}/artifacts/{name}" for name in FILES} <= seen.keys()


async def test_every_link_of_the_page_can_be_followed_by_who_is_signed_in(walked: Walked) -> None:
    for number in range(12):  # a second page of jobs
        source = SubmittedSource(key="inbox/a.mp4", name="a.mp4")
        await walked.served.projection.learn(JobSubmitted(job_id=f"job-1000000{number:02}", source=source))
    link = (await walked.client.post("/v1/sign-in-links")).json()["url"]
    transport = walked.client._transport
    async with httpx.AsyncClient(transport=transport, base_url="http://lectern.test") as browser:
        once = await browser.get(link)
        seen = await _walk(browser, _links(once), BROWSER)
    assert {path: status for path, status in seen.items() if status not in (200, 204, 308)} == {}
    assert {"/docs", "/?status=partial", "/static/page.css", f"/v1/jobs/{JOB}/artifacts/handout.pdf"} <= seen.keys()
    assert any(path.startswith("/?cursor=") for path in seen)
    assert any(path.startswith("/ui/jobs/") for path in seen)
