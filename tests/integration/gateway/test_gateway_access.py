"""Keys, sessions, one-time links, forged requests, headers and problem details."""

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from services.gateway.auth.keys import Identity
from shared.events import Artifact, HandoutRendered, JobSubmitted, SubmittedSource

JOB = "job-00000001"
CONTENT = bytes(range(256)) * 8


def anonymous(served: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=served.client._transport, base_url="http://lectern.test")


async def sign_in(served: Any) -> tuple[httpx.AsyncClient, str]:
    client = anonymous(served)
    answer = await client.post("/login", data={"key": served.key})
    assert answer.status_code == 303
    page = (await client.get("/")).text
    token = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert token is not None
    return client, token[1]


async def render(served: Any, name: str = "handout.pdf", media_type: str = "application/pdf") -> None:
    stored = await served.gateway.store.put_bytes(f"rendering/{JOB}/{name}", CONTENT, media_type)
    source = SubmittedSource(key="inbox/a.mp4", name="Wöche 3.mp4")
    await served.projection.learn(JobSubmitted(job_id=JOB, source=source))
    artifact = Artifact(name=name, object=stored)
    await served.projection.learn(HandoutRendered(job_id=JOB, title="<b>Tides</b>", artifacts=(artifact,)))


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}])
async def test_without_a_key_there_is_nothing(served: Any, header: dict[str, str]) -> None:
    async with anonymous(served) as client:
        for path in ("/v1/jobs", f"/v1/jobs/{JOB}", f"/v1/jobs/{JOB}/events", f"/v1/jobs/{JOB}/artifacts/a.pdf"):
            answer = await client.get(path, headers=header)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            assert len(answer.json()["trace_id"]) == 32


async def test_only_hashes_of_secrets_are_kept(served: Any) -> None:
    client, _ = await sign_in(served)
    kept = [
        str(document)
        for name in ("api_keys", "sessions")
        for document in await served.database[name].find({}).to_list(10)
    ]
    assert len(kept) == 2
    assert not any(served.key in text or client.cookies["lectern_session"] in text for text in kept)
    assert (served.home / "api-key").stat().st_mode & 0o777 == 0o600
    await client.aclose()


async def test_the_session_cookie_is_out_of_reach(served: Any) -> None:
    async with anonymous(served) as client:
        cookie = (await client.post("/login", data={"key": served.key})).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-CSRF-Token": "guess"},
        {"X-CSRF-Token": "TOKEN", "Sec-Fetch-Site": "cross-site"},
        {"X-CSRF-Token": "TOKEN", "Sec-Fetch-Site": "same-site"},
        {"X-CSRF-Token": "TOKEN", "Origin": "http://evil.test"},
        {"X-CSRF-Token": "TOKEN", "Origin": "null"},
    ],
)
async def test_forged_requests_are_refused(served: Any, headers: dict[str, str]) -> None:
    await render(served)
    client, token = await sign_in(served)
    headers = {name: value.replace("TOKEN", token) for name, value in headers.items()}
    files = {"file": ("a.mp4", b"x")}
    assert (await client.post("/v1/jobs", files=files, headers=headers)).status_code == 403
    for path in (f"/v1/jobs/{JOB}", f"/ui/jobs/{JOB}"):
        assert (await client.delete(path, headers=headers)).status_code == 403
    assert (await client.get(f"/v1/jobs/{JOB}")).status_code == 200
    good = {"X-CSRF-Token": token, "Origin": "http://lectern.test", "Sec-Fetch-Site": "same-origin"}
    assert (await client.delete(f"/ui/jobs/{JOB}", headers=good)).status_code == 200
    assert (await client.get(f"/v1/jobs/{JOB}")).status_code == 404
    await client.aclose()


async def test_signing_in_and_out_from_elsewhere_is_refused(served: Any) -> None:
    client, token = await sign_in(served)
    evil = {"Origin": "http://evil.test"}
    assert (await client.post("/login", data={"key": served.key}, headers=evil)).status_code == 403
    assert (await client.post("/logout", data={"csrf_token": "guess"})).status_code == 403
    secret = client.cookies["lectern_session"]
    assert (await client.post("/logout", data={"csrf_token": token})).status_code == 303
    client.cookies.set("lectern_session", secret)
    assert (await client.get("/v1/jobs")).status_code == 401
    await client.aclose()


async def test_a_sign_in_link_works_once(served: Any) -> None:
    url = (await served.client.post("/v1/sign-in-links")).json()["url"]
    clients = [anonymous(served) for _ in range(5)]
    answers = await asyncio.gather(*(client.get(url) for client in clients))
    assert sorted(answer.status_code for answer in answers) == [200, 303, 303, 303, 303]
    [signed_in] = [client for client in clients if client.cookies]
    assert (await signed_in.get("/v1/jobs")).status_code == 200
    for client in clients:
        await client.aclose()


async def test_expired_sessions_and_links_are_refused(served: Any) -> None:
    client, _ = await sign_in(served)
    url = (await served.client.post("/v1/sign-in-links")).json()["url"]
    past = {"$set": {"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}}
    for name in ("sessions", "sign_in_links"):
        await served.database[name].update_many({}, past)
    assert (await client.get("/v1/jobs")).status_code == 401
    assert (await client.get(url)).status_code == 303
    await client.aclose()


async def test_artifacts_come_whole_and_in_ranges(served: Any) -> None:
    await render(served)
    url = f"/v1/jobs/{JOB}/artifacts/handout.pdf"
    whole = await served.client.get(url)
    assert whole.content == CONTENT
    assert whole.headers["content-type"] == "application/pdf"
    assert whole.headers["content-length"] == str(len(CONTENT))
    assert whole.headers["content-disposition"].startswith("attachment;")
    etag = whole.headers["etag"]
    part = await served.client.get(url, headers={"Range": "bytes=100-199", "If-Range": etag})
    assert (part.status_code, part.content) == (206, CONTENT[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(CONTENT)}"
    other = await served.client.get(url, headers={"Range": "bytes=100-199", "If-Range": '"older"'})
    assert (other.status_code, other.content) == (200, CONTENT)
    outside = await served.client.get(url, headers={"Range": "bytes=9999999-"})
    assert (outside.status_code, outside.headers["content-range"]) == (416, f"bytes */{len(CONTENT)}")
    assert (await served.client.get(url, headers={"If-None-Match": etag})).status_code == 304
    head = await served.client.head(url)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(CONTENT)))
    for name in ("other.pdf", "../../x", "%2e%2e/api-key", "a" * 300):
        assert (await served.client.get(f"/v1/jobs/{JOB}/artifacts/{name}")).status_code in (404, 422)


async def test_files_of_others_do_not_exist(served: Any) -> None:
    await render(served)
    url = f"/v1/jobs/{JOB}/artifacts/handout.pdf"
    key = "lk_another-one-of-some-length"
    await served.gateway.keys.register(key, Identity("ana"))
    for method in ("GET", "HEAD"):
        other = await served.client.request(method, url, headers={"Authorization": f"Bearer {key}"})
        assert other.status_code == 404
        assert (await served.client.request(method, url)).status_code == 200


async def test_a_page_made_of_a_source_cannot_run_anything(served: Any) -> None:
    await render(served, "handout.html", "text/html")
    shown = await served.client.get(f"/v1/jobs/{JOB}/artifacts/handout.html?inline=1")
    assert shown.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert shown.headers["content-disposition"].startswith("inline;")
    assert shown.headers["x-content-type-options"] == "nosniff"
    saved = await served.client.get(f"/v1/jobs/{JOB}/artifacts/handout.html")
    assert saved.headers["content-disposition"].startswith("attachment;")


async def test_scripts_are_never_shown_inline(served: Any) -> None:
    await render(served, "evil.svg", "image/svg+xml")
    answer = await served.client.get(f"/v1/jobs/{JOB}/artifacts/evil.svg?inline=1")
    assert answer.headers["content-disposition"].startswith("attachment;")


async def test_a_file_that_is_gone_is_an_error_answer(served: Any) -> None:
    await render(served)
    await served.gateway.store.delete_all(f"rendering/{JOB}/")
    answer = await served.client.get(f"/v1/jobs/{JOB}/artifacts/handout.pdf")
    assert answer.status_code == 404
    assert "rendering" not in answer.text


async def test_titles_of_sources_are_text(served: Any) -> None:
    await render(served)
    client, _ = await sign_in(served)
    page = (await client.get("/")).text
    assert "&lt;b&gt;Tides" in page
    assert "<b>Tides" not in page
    assert "style=" not in page
    await client.aclose()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("PUT", "/v1/jobs", 405),
        ("GET", "/v1/jobs?limit=1000", 422),
        ("GET", "/v1/jobs?status=lost", 422),
        ("GET", f"/v1/jobs/{JOB}", 404),
        ("POST", "/v1/jobs", 400),
    ],
)
async def test_errors_are_problem_details(served: Any, method: str, path: str, status: int) -> None:
    answer = await served.client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert {"type", "title", "detail", "trace_id"} <= set(problem)
    for name in ("x-content-type-options", "content-security-policy", "referrer-policy"):
        assert name in answer.headers


async def test_a_fault_of_ours_tells_nothing(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret /path")

    monkeypatch.setattr(served.gateway.read_model, "get", fail)
    answer = await served.client.get(f"/v1/jobs/{JOB}")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert len(answer.json()["trace_id"]) == 32
    assert "content-security-policy" in answer.headers


async def test_the_documents_of_the_interfaces(served: Any) -> None:
    document = (await served.client.get("/openapi.json")).json()
    assert set(document["components"]["securitySchemes"]) == {"ApiKey", "Session"}
    assert "multipart/form-data" in document["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]
    refs = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert refs <= set(document["components"]["schemas"])
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["responses"]["401"]["content"].keys() == {"application/problem+json"}
    assert (await served.client.get("/asyncapi.json")).json()["asyncapi"].startswith("3.")
