"""Connections: how long each may take, how many there are, and who makes room, over real ones."""

import asyncio
import contextlib
import socket
import time

import pytest

from shared.http_server.connections import network_of
from tests.unit.shared.http_serving import GOOD, post, said, server


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
