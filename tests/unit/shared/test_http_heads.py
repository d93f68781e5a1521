"""Heads of requests: what two readers could understand differently, and how large they may be."""

import pytest

from tests.unit.shared.http_serving import GOOD, post, said, server


@pytest.mark.parametrize(
    "request_bytes",
    [
        post(b"Content-Length: 3", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        post(b"Transfer-Encoding: chunked", b"Content-Length: 3", body=b"0\r\n\r\n"),
        post(b"Content-Length: 3", b"Content-Length: 3", body=b"abc"),
        post(b"Content-Length: 3", b"Content-Length: 4", body=b"abcd"),
        post(b"Content-Length: 3, 3", body=b"abc"),
        post(b"Content-Length: +3", body=b"abc"),
        post(b"Content-Length: -3", body=b"abc"),
        post(b"Content-Length: 0x3", body=b"abc"),
        post(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
        post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        post(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n"),
        post(b"Transfer-Encoding:\x0bchunked", body=b"0\r\n\r\n"),
        post(b"Transfer-Encoding: chunked", body=b"g\r\nabc\r\n0\r\n\r\n"),
        post(b"Transfer-Encoding: chunked", body=b"-1\r\nabc\r\n0\r\n\r\n"),
        post(b"Transfer-Encoding: chunked", body=b"3\r\nabcd\r\n0\r\n\r\n"),
        post(b"Transfer-Encoding: chunked", body=b"1\r\na\r\n" * 5000 + b"0\r\n\r\n"),
        post(b"X: a", b" b"),
        post(b"X: a", b"\tContent-Length: 3"),
        GOOD.replace(b"\r\n", b"\n"),
        GOOD.replace(b"\r\nHost", b"\rHost"),
        b"GET http://evil.test/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT evil.test:443 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
async def test_what_two_readers_could_understand_differently_is_refused(request_bytes: bytes) -> None:
    async with server() as (port, _):
        # The second request must not be answered: where the first one ends is in doubt.
        got = await said(port, request_bytes + GOOD)
    assert got.startswith(b"HTTP/1.1 400 "), got
    assert got.count(b"HTTP/1.1 ") == 1
    assert b"application/problem+json" in got


@pytest.mark.parametrize("after_another", [b"", GOOD])
@pytest.mark.parametrize(
    "headers",
    [b"X: " + b"a" * 20_000, b"X: " + b"a" * 200_000, b"\r\n".join([b"X: a"] * 101), b"\r\n".join([b"a:"] * 60_000)],
)
async def test_headers_are_limited_in_size_and_count(headers: bytes, after_another: bytes) -> None:
    async with server() as (port, _):
        got = await said(port, after_another + b"GET / HTTP/1.1\r\nHost: a\r\n" + headers + b"\r\n\r\n")
    assert b"HTTP/1.1 431 " in got
    assert got.count(b"HTTP/1.1 ") == 1 + bool(after_another)


async def test_what_is_well_formed_is_served() -> None:
    async with server() as (port, _):
        assert (await said(port, post(b"Content-Length: 3", body=b"abc"))).endswith(b"3 bytes")
        chunked = post(b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n" * 500 + b"0\r\n\r\n")
        assert b" 400 " in await said(port, chunked)  # 3 bytes a chunk, for ever
        larger = post(b"Transfer-Encoding: chunked", body=b"40\r\n" + b"a" * 64 + b"\r\n0\r\n\r\n")
        assert (await said(port, larger)).endswith(b"64 bytes")
        closing = GOOD.replace(b"Host: a", b"Host: a\r\nConnection: close")
        assert (await said(port, GOOD + GOOD + closing)).count(b"HTTP/1.1 200 OK") == 3
        assert (await said(port, *(closing[at : at + 1] for at in range(len(closing))))).endswith(b"0 bytes")
        upgrade = GOOD.replace(b"Host: a", b"Host: a\r\nConnection: Upgrade, close\r\nUpgrade: websocket")
        assert (await said(port, upgrade)).startswith(b"HTTP/1.1 200 OK")
