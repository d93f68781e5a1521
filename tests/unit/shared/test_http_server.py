"""The HTTP server's own limits, over real connections."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from shared.http_server.connections import ConnectionLimits, Connections, network_of
from shared.http_server.protocol import BoundedProtocol

GOOD = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def greet(request: Request) -> None:
    """Know the callers that say who they are."""
    request.state.caller = request.headers.get("x-caller")


async def answer(request: Request) -> PlainTextResponse:
    greet(request)
    return PlainTextResponse(f"{len(await request.body())} bytes")


async def endless(request: Request) -> StreamingResponse:
    greet(request)

    async def pieces() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 100_000
            await asyncio.sleep(0)

    return StreamingResponse(pieces())


async def large(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("x" * 8_000_000)


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer at once and go on reading, as the gateway does with a body that it does not want."""
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 413, "headers": [(b"connection", b"close")]})
    await send({"type": "http.response.body", "body": b"refused", "more_body": True})
    while (await receive()).get("more_body", False):
        pass
    await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def server(**given: float) -> AsyncIterator[tuple[int, uvicorn.Server]]:
    chosen = {"header_s": 5, "idle_s": 5, "stall_s": 5, **given}
    limits = ConnectionLimits(**chosen)  # type: ignore[arg-type]  # the counts among them are whole
    app = Starlette(
        routes=[
            Route("/", answer, methods=["GET", "POST"]),
            Route("/endless", endless),
            Route("/large", large),
            Mount("/refuse", refuse),
        ]
    )
    protocol = partial(BoundedProtocol, open_connections=Connections(limits))
    config = uvicorn.Config(
        app,
        port=0,
        http=protocol,  # type: ignore[arg-type]  # only called
        ws="none",
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    running = uvicorn.Server(config)
    task = asyncio.create_task(running._serve())
    while not running.started:
        await asyncio.sleep(0.01)
    try:
        yield running.servers[0].sockets[0].getsockname()[1], running
    finally:
        running.should_exit = True
        await task


async def said(port: int, *pieces: bytes, pause_s: float = 0.0) -> bytes:
    """Everything that the server answers to `pieces` until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(pause_s)
    try:
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def post(*lines: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join((b"POST / HTTP/1.1", b"Host: a", b"Connection: close", *lines, b"", b"")) + body


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


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost"])
async def test_headers_have_to_come_in_time(begun: bytes) -> None:
    async with server(header_s=0.4) as (port, running):
        began_s = time.monotonic()
        drip = asyncio.create_task(said(port, begun, *[b"a"] * (6 if begun else 0), pause_s=0.1))
        await asyncio.sleep(0.2)
        while running.server_state.connections:
            await asyncio.sleep(0.05)
        assert 0.3 < time.monotonic() - began_s < 2
        assert (await drip).startswith(b"HTTP/1.1 408 " if begun else b"")


async def test_a_connection_between_requests_ends_in_time() -> None:
    async with server(idle_s=0.4) as (port, _):
        began_s = time.monotonic()
        assert (await said(port, GOOD)).endswith(b"0 bytes")
        assert 0.3 < time.monotonic() - began_s < 3


async def test_who_reads_nothing_is_cut_off() -> None:
    async with server(stall_s=0.5) as (port, running):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
        writer.write(GOOD.replace(b"/ ", b"/endless ", 1))
        await asyncio.sleep(0.2)
        assert running.server_state.connections
        for _ in range(100):
            if not running.server_state.connections:
                break
            await asyncio.sleep(0.1)
        assert not running.server_state.connections
        writer.transport.abort()
        del reader


async def waiting(port: int, count: int, begun: bytes) -> list[asyncio.StreamWriter]:
    writers = []
    for _ in range(count):
        _reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        writers.append(writer)
    return writers


async def test_who_comes_last_is_served_though_others_hold_every_connection() -> None:
    async with server(total=20) as (port, running):
        writers = await waiting(port, 60, b"GET / HTTP/1.1\r\nX")
        assert (await said(port, GOOD.replace(b"Host: a", b"Host: a\r\nConnection: close"))).endswith(b"0 bytes")
        assert len(running.server_state.connections) <= 20
        for writer in writers:
            writer.transport.abort()


ENDLESS = GOOD.replace(b"/ ", b"/endless ", 1)
KNOWN = b"X-Caller: ana"


async def test_a_known_caller_s_connection_at_work_is_never_ended_for_another() -> None:
    async with server(total=5, stall_s=60) as (port, _):
        writers = await waiting(port, 5, ENDLESS.replace(b"Host: a", b"Host: a\r\n" + KNOWN))
        await asyncio.sleep(0.2)
        got = await said(port, b"")
        assert got.startswith(b"HTTP/1.1 503 ")
        for writer in writers:
            assert not writer.transport.is_closing()
            writer.transport.abort()


async def test_who_still_sends_what_was_refused_makes_room() -> None:
    async with server(total=5, stall_s=60) as (port, _):
        writers = await waiting(port, 5, post(b"Content-Length: 1000000").replace(b"/ ", b"/refuse/ ", 1) + b"a")
        await asyncio.sleep(0.2)
        closing = GOOD.replace(b"Host: a", b"Host: a\r\nConnection: close")
        assert (await said(port, closing)).endswith(b"0 bytes")
        for writer in writers:
            writer.transport.abort()


async def test_a_known_caller_who_still_sends_what_is_wanted_keeps_the_connection() -> None:
    async with server(total=5, stall_s=60) as (port, _):
        writers = await waiting(port, 5, post(KNOWN, b"Content-Length: 1000000") + b"a")
        await asyncio.sleep(0.2)
        assert (await said(port, b"")).startswith(b"HTTP/1.1 503 ")
        for writer in writers:
            writer.transport.abort()


@pytest.mark.parametrize("at_work", [ENDLESS, post(b"Content-Length: 1000000") + b"a"])
async def test_strangers_make_room_whatever_they_do(at_work: bytes) -> None:
    async with server(total=5, stall_s=60) as (port, _):
        known = await waiting(port, 1, post(KNOWN, b"Content-Length: 1000000") + b"a")
        strangers = await waiting(port, 20, at_work)
        await asyncio.sleep(0.2)
        closing = GOOD.replace(b"Host: a", b"Host: a\r\nConnection: close")
        assert (await said(port, closing)).endswith(b"0 bytes")
        assert not known[0].transport.is_closing()
        for writer in (*known, *strangers):
            writer.transport.abort()


async def test_the_network_with_most_connections_makes_room() -> None:
    async with server(total=10, idle_s=60) as (port, _):
        few = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.2", 0))
        few[1].write(b"GET / HT")
        await asyncio.sleep(0.05)
        many = await waiting(port, 40, b"GET / HT")
        few[1].write(GOOD.removeprefix(b"GET / HT"))
        assert (await few[0].readline()).startswith(b"HTTP/1.1 200 ")
        for writer in (few[1], *many):
            writer.transport.abort()


async def test_a_finished_answer_is_not_kept_for_who_takes_it_a_byte_at_a_time() -> None:
    async with server(stall_s=1.5) as (port, running):
        mine = socket.socket()
        mine.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        mine.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(mine, ("127.0.0.1", port))
        await loop.sock_sendall(mine, GOOD.replace(b"/ ", b"/large ", 1))
        began_s = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while running.server_state.connections and time.monotonic() - began_s < 20:
                mine.recv(1)
                await asyncio.sleep(0.05)
        assert not running.server_state.connections
        mine.close()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::1"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_an_ipv6_subscriber_is_one_network(address: str, network: str) -> None:
    assert network_of(address) == network
