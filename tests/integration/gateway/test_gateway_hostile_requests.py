"""Requests that no well-meant client sends, each to a real process: one clear answer, no error, nobody disturbed."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

FORM = "Content-Type: application/x-www-form-urlencoded"
JSON = "Content-Type: application/json"
PARTS = "Content-Type: multipart/form-data; boundary=b"
FIELD = b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\n'

ENVIRONMENT = {"LECTERN_SLOW_QUERY_MS": "60000"}  # a slow machine would log warnings of its own


@dataclass(frozen=True)
class Hostile:
    """A request, and the status that it is to be answered with. `key`: it is sent with a valid one."""

    status: int
    line: str
    headers: tuple[str, ...] = ()
    body: bytes = b""
    key: bool = False
    host: str | None = None

    def sent(self, host: str, key: str) -> bytes:
        lines = [f"{self.line} HTTP/1.1", f"Host: {self.host if self.host is not None else host}", "Connection: close"]
        lines += [f"Authorization: Bearer {key}"] * self.key + list(self.headers)
        if self.body and not any(line.lower().startswith("transfer-encoding") for line in lines):
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


def login(status: int, body: bytes, *headers: str) -> Hostile:
    return Hostile(status, "POST /login", headers or (FORM,), body)


def new_key(status: int, body: bytes, *headers: str) -> Hostile:
    return Hostile(status, "POST /v1/keys", headers or (JSON,), body, key=True)


def upload(status: int, body: bytes, *headers: str) -> Hostile:
    return Hostile(status, "POST /v1/jobs", headers or (PARTS,), body, key=True)


def get(status: int, path: str, *headers: str, key: bool = False, host: str | None = None) -> Hostile:
    return Hostile(status, f"GET {path}", headers, key=key, host=host)


CHUNKED = "Transfer-Encoding: chunked"
REQUESTS: dict[str, Hostile] = {
    "thousands of ranges": get(200, "/static/page.js", "Range: bytes=" + ",".join(f"{n}-" for n in range(1500))),
    "a range of thousands of digits": get(200, "/static/page.js", f"Range: bytes=0-{'9' * 5000}"),
    "a range that is no number": get(200, "/static/page.js", "Range: bytes=\xb2-\xb3"),
    "a date that is none": get(200, "/static/page.js", "If-Modified-Since: Mon, 99 Foo 99999999999 99:99:99 GMT"),
    "a path upwards": get(404, "/static/../routes.py"),
    "a path upwards, in disguise": get(404, "/static/%2e%2e%2froutes.py"),
    "a path upwards, twice in disguise": get(404, "/static/%252e%252e/routes.py"),
    "a path upwards, as UTF-8 must not": get(404, "/static/%c0%ae%c0%ae/routes.py"),
    "a path upwards, for Windows": get(404, "/static/..%5c..%5croutes.py"),
    "a path from the root": get(404, "/static//etc/passwd"),
    "a path out of what is public": get(404, "/static/../v1/jobs"),
    "half a surrogate in a path": get(404, "/static/%ed%a0%80"),
    "a null byte in a path": get(404, "/static/a%00b"),
    "a null byte in a path that needs a key": get(401, "/%00"),
    "a header in a path": get(404, "/static/%0d%0aSet-Cookie:%20a=b"),
    "a name that no file can have": get(404, f"/static/{'a' * 5000}"),
    "thousands of folders": get(404, "/static/" + "a/" * 3000),
    "a fragment": get(401, "/#a"),
    "an address in other letters": get(401, "//v1//jobs"),
    "a long address": get(401, "/" + "a" * 15_000),
    "too long an address": get(431, "/" + "a" * 17_000),
    "thousands of query parameters": get(422, "/?" + "a&" * 7000),
    "a null byte in a token": get(303, "/login/once?token=%00"),
    "half a surrogate in a token": get(303, "/login/once?token=%ed%a0%80"),
    "TRACE": Hostile(405, "TRACE /"),
    "OPTIONS of everything": Hostile(401, "OPTIONS *"),
    "CONNECT": Hostile(400, "CONNECT evil.test:443"),
    "a method that is none": Hostile(405, f"{'A' * 15_000} /"),
    "a method in small letters": Hostile(400, "get /"),
    "another's host": get(421, "/", host="evil.test"),
    "another's host behind an @": get(421, "/", host="localhost@evil.test"),
    "no host name": get(421, "/", host=""),
    "bytes as a host": get(421, "/", host="\xff\xfe"),
    "a cookie of 15 KB": get(401, "/v1/jobs", f"Cookie: lectern_session={'a' * 15_000}"),
    "a cookie of 64 KB": get(431, "/v1/jobs", f"Cookie: lectern_session={'a' * 64_000}"),
    "thousands of cookies": get(401, "/v1/jobs", "Cookie: " + "a=b;" * 3500),
    "a cookie that is none": get(401, "/v1/jobs", 'Cookie: lectern_session="\\377\\000\xff"; ;;;==='),
    "a key that is no text": get(401, "/v1/jobs", "Authorization: Bearer \xff\xed\xa0\x80"),
    "a key of 15 KB": get(401, "/v1/jobs", f"Authorization: Bearer {'a' * 15_000}"),
    "two keys": get(401, "/v1/jobs", "Authorization: Bearer a", "Authorization: Bearer b"),
    "thousands of media types": get(401, "/v1/jobs", "Accept: " + "a/b," * 3000),
    "a quality of thousands of digits": get(200, "/openapi.json", f"Accept-Encoding: gzip;q=0.{'0' * 9000}"),
    "a trace that is none": get(200, "/", f"traceparent: 00-{'f' * 5000}", f"tracestate: {'a=b,' * 2000}"),
    "baggage": get(200, "/", "baggage: " + "a=b," * 3000),
    "a proxy's word": get(200, "/", "X-Forwarded-For: \xff%s'", "X-Forwarded-Proto: javascript"),
    "HTTP/2": get(200, "/", "Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAA"),
    "frames of a WebSocket": Hostile(
        400,
        "GET /v1/jobs",
        ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", CHUNKED),
        b"\x82\xff\x7f" + b"\xff" * 600,
    ),
    "a form of null bytes": login(422, b"key=" + b"%00" * 1000),
    "a form of a thousand fields": login(400, b"a=&" * 1300),
    "a form that is no text": login(303, b"key=\xff%ed%a0%80"),
    "a form in an alphabet that is none": login(303, b"key=a", f"{FORM}; charset=rot13"),
    "a form without its type": login(303, b"key=a", "X: y"),
    "a form in hundreds of parts": login(400, b"--b\r\n\r\n" * 400, PARTS),
    "a form without its end": login(303, FIELD + b"abc", PARTS),
    "a form without its boundary": login(400, b"x", "Content-Type: multipart/form-data"),
    "a boundary of 5 KB": login(400, b"x", f"Content-Type: multipart/form-data; boundary={'b' * 5000}"),
    "a part of hundreds of headers": login(400, b"--b\r\n" + b"a: b\r\n" * 600, PARTS),
    "a form in another alphabet": login(303, FIELD + b"a\r\n--b--\r\n", f"{PARTS}; charset=rot13"),
    "a packed form": login(415, b"\x1f\x8b\x08\x00" * 100, FORM, "Content-Encoding: gzip"),
    "a form that is packed twice": login(415, b"\x1f\x8b", FORM, "Content-Encoding: identity", "Content-Encoding: br"),
    "a chunk of all there is": login(413, b"fffffff\r\n" + b"a" * 6000, FORM, CHUNKED),
    "a chunk of more than there can be": login(400, b"f" * 40 + b"\r\na", FORM, CHUNKED),
    "a chunk with a long remark": login(303, b"5;" + b"a" * 10_000 + b"\r\nkey=a\r\n0\r\n\r\n", FORM, CHUNKED),
    "thousands of trailers": login(303, b"5\r\nkey=a\r\n0\r\n" + b"X: y\r\n" * 2000 + b"\r\n", FORM, CHUNKED),
    "a null byte in a job's id": get(404, "/v1/jobs/%00aaaaaaaaaa", key=True),
    "a path as a file's name": get(404, "/v1/jobs/aaaaaaaa/artifacts/..%2f..%2fapi-key", key=True),
    "a limit of thousands of digits": get(422, f"/v1/jobs?limit={'9' * 5000}", key=True),
    "an event that is no number": get(404, "/v1/jobs/aaaaaaaa/events", "Last-Event-ID: \xb2", key=True),
    "deep JSON": new_key(400, b"[" * 8000),
    "deep objects": new_key(400, b'{"a":' * 3000),
    "deep JSON of 100,000": new_key(413, b"[" * 100_000),
    "a number of ten thousand digits": new_key(400, b'{"name":"a","owner":"b","days":' + b"9" * 10_000 + b"}"),
    "a number that is infinite": new_key(422, b'{"name":"a","owner":"b","days":1e999}'),
    "a number that is none": new_key(422, b'{"name":"a","owner":"b","days":NaN}'),
    "half a surrogate": new_key(422, b'{"name":"\\ud800","owner":"b"}'),
    "null bytes": new_key(422, b'{"name":"\\u0000","owner":"\\u0000b"}'),
    "JSON that is no text": new_key(400, b"\xff"),
    "packed JSON": new_key(415, b"\x1f\x8b", JSON, "Content-Encoding: gzip"),
    "an upload of 100,000 parts": upload(422, FIELD.replace(b"key", b"a") * 100_000 + b"--b--\r\n"),
    "an upload without its end": upload(400, FIELD.replace(b'"key"', b'"file"; filename="a"') + b"a"),
    "an upload before its first boundary": upload(400, b"x" * 3_000_000),
    "a part of 60,000 headers": upload(400, b"--b\r\n" + b"a: b\r\n" * 60_000),
    "a header of a part of 1 MB": upload(400, b"--b\r\nContent-Disposition: " + b"a" * 1_000_000),
    "a packed upload": upload(415, b"\x1f\x8b", PARTS, "Content-Encoding: deflate"),
}


async def exchange(process: Any, sent: bytes) -> bytes:
    """All that the gateway says to `sent`, which may be a part of a request: it then waits for the rest for a while."""
    url = httpx.URL(process.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    try:
        writer.write(sent)
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        length = answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        answer += await reader.readexactly(int(length or 0))
        with contextlib.suppress(TimeoutError, ConnectionError):
            answer += await asyncio.wait_for(reader.read(), 0.3)
        return answer
    finally:
        writer.transport.abort()


def log_of(process: Any) -> str:
    return str((process.home / "gateway.log").read_text())


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_hostile_request_has_one_clear_answer(process: Any, name: str) -> None:
    asked, logged = REQUESTS[name], len(log_of(process))
    key = (process.home / "api-key").read_text().strip()
    host = httpx.URL(process.url).netloc.decode()
    # Another request after it is answered by nobody: the connection was to be closed, or what follows is in doubt.
    answer = await exchange(process, asked.sent(host, key) + f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert int(head.split(b" ")[1]) == asked.status, answer[:500]
    if asked.status >= 400 and "Accept:" not in str(asked.headers):
        assert b"application/problem+json" in head
        if not asked.line.startswith("HEAD"):
            problem = json.loads(body)
            assert problem["status"] == asked.status
            assert problem["detail"].endswith(".")
    lines = [json.loads(line) for line in log_of(process)[logged:].splitlines()]
    assert {line["level"] for line in lines} <= {"info"}, lines


CASES_OF_ANOTHER_PROTOCOL: dict[str, Callable[[], bytes]] = {
    "HTTP/2": lambda: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00",
    "TLS": lambda: bytes.fromhex("16030102000100") + b"\n\n" + bytes(508),
    "SSH": lambda: b"SSH-2.0-OpenSSH_9\r\n\r\n",
    "bytes": lambda: bytes(range(256)) * 80,
}


@pytest.mark.parametrize("name", CASES_OF_ANOTHER_PROTOCOL)
async def test_another_protocol_is_refused(process: Any, name: str) -> None:
    logged = len(log_of(process))
    answer = await exchange(process, CASES_OF_ANOTHER_PROTOCOL[name]())
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 431 "))
    assert answer.count(b"HTTP/1.1 ") == 1
    assert not log_of(process)[logged:]


async def test_of_a_refused_body_nothing_is_taken_for_a_request(process: Any) -> None:
    host = httpx.URL(process.url).netloc
    hidden = b"GET /v1/jobs HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"
    head = b"POST /v1/jobs HTTP/1.1\r\nHost: " + host + b"\r\nContent-Length: %d\r\n\r\n" % len(hidden)
    answer = await exchange(process, head + hidden)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 401 ")


async def test_a_great_form_to_sign_in_is_refused_at_its_headers(process: Any) -> None:
    before = {path.name for path in process.home.parent.iterdir()}
    host = httpx.URL(process.url).netloc.decode()
    asked = f"POST /login HTTP/1.1\r\nHost: {host}\r\n{PARTS}\r\nContent-Length: 600000000\r\n\r\n"
    url = httpx.URL(process.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(asked.encode())
    began_s = time.perf_counter()
    assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
    assert time.perf_counter() - began_s < 0.5
    writer.transport.abort()
    assert {path.name for path in process.home.parent.iterdir()} == before
