"""What is refused by the headers of a request alone, and how much of a body is taken."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from services.gateway.app import routes_only
from services.gateway.auth.authentication import is_public


def anonymous(served: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=served.client._transport, base_url="http://lectern.test")


def routes() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []

    def walk(given: list[Any]) -> None:
        for route in given:
            nested = getattr(route, "original_router", None)
            if isinstance(route, APIRoute) or (nested is None and hasattr(route, "methods")):
                path = re.sub(r"{[^}]*}", "0123456789", route.path)
                found.extend((method, path) for method in sorted(route.methods or ()))
            elif nested is not None:
                walk(nested.routes)

    walk(routes_only().routes)
    return found


def test_what_is_there_for_everybody_is_a_short_list() -> None:
    assert {path for _, path in routes() if is_public(path)} == {
        "/",
        "/login",
        "/login/once",
        "/logout",
        "/favicon.ico",
        "/docs",
        "/openapi.json",
        "/asyncapi.json",
        "/health/live",
        "/health/ready",
    }
    assert len([path for _, path in routes() if not is_public(path)]) >= 15


async def test_no_other_route_reads_a_body_without_a_key(served: Any) -> None:
    read: list[str] = []

    async def body(name: str) -> AsyncIterator[bytes]:
        read.append(name)
        yield b"{}"

    others = [(method, path) for method, path in routes() if not is_public(path)]
    async with anonymous(served) as client:
        for method, path in [*others, ("POST", "/nothing"), ("POST", "/v1/../login"), ("POST", "/health/live/")]:
            request = client.build_request(method, path, content=body(path))
            scope = {
                "type": "http",
                "method": method,
                "path": path,
                "raw_path": path.encode(),
                "query_string": b"",
                "root_path": "",
                "scheme": "http",
                "http_version": "1.1",
                "server": ("127.0.0.1", 80),
                "client": ("127.0.0.1", 1),
                "headers": [(b"host", b"127.0.0.1"), (b"transfer-encoding", b"chunked")],
            }
            sent: list[dict[str, Any]] = []
            asked: list[int] = []

            async def receive(sent: Any = sent, asked: Any = asked) -> dict[str, Any]:
                # After the answer the rest is thrown away; before it nothing may be asked for.
                if not sent:
                    asked.append(1)
                return {"type": "http.request", "body": b"{}", "more_body": False}

            async def send(message: dict[str, Any], sent: Any = sent) -> None:
                sent.append(message)

            await served.client._transport.app(scope, receive, send)
            assert (request.url.path, sent[0]["status"], asked) == (request.url.path, 401, [])


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("lectern.test", 200),
        ("LECTERN.test:8080", 200),
        ("evil.test", 421),
        ("lectern.test.evil.test", 421),
        ("lectern.test@evil.test", 421),
        ("evil.test/lectern.test", 421),
        ("", 421),
    ],
)
async def test_only_own_names_are_answered(served: Any, host: str, status: int) -> None:
    answer = await served.client.get("/v1/jobs", headers={"Host": host})
    assert answer.status_code == status
    link = await served.client.post("/v1/sign-in-links", headers={"Host": host})
    assert link.status_code == (201 if status == 200 else 421)
    assert "evil" not in link.text
    assert (await served.client.get("/health/live", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize(
    ("method", "path", "limit"),
    [
        ("POST", "/login", 4 << 10),
        ("POST", "/v1/dead-letters/replay", 16 << 10),
        ("POST", "/v1/jobs/0123456789/cancel", 16 << 10),
        ("GET", "/v1/jobs", 0),
        ("DELETE", "/v1/jobs/0123456789", 0),
    ],
)
async def test_bodies_are_limited_by_route(served: Any, method: str, path: str, limit: int, *, announced: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(limit // 1024):
            yield b" " * 1024
        yield b" "

    content = b" " * (limit + 1) if announced else pieces()
    answer = await served.client.request(method, path, content=content)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["connection"] == "close"


async def test_an_upload_without_a_length_is_limited_too(served: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="paper"\r\n\r\na4\r\n'
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
        for _ in range(5):
            yield b"x" * 1_000_000

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await served.client.post("/v1/jobs", content=pieces(), headers=headers)
    assert answer.status_code == 413
    assert served.uploads() == []
