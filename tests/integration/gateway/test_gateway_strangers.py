"""What somebody without a key can make a running gateway do: nothing that costs anybody anything."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

BODY_BYTES = 60_000_000


@asynccontextmanager
async def connection(process: Any) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    url = httpx.URL(process.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def head(process: Any, request_line: str, *lines: str) -> bytes:
    host = httpx.URL(process.url).netloc.decode()
    return "\r\n".join((f"{request_line} HTTP/1.1", f"Host: {host}", *lines, "", "")).encode()


def resident_mb(process: Any) -> float:
    pages = int(Path(f"/proc/{process.child.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@asynccontextmanager
async def watched_memory(process: Any) -> AsyncIterator[list[float]]:
    """The most that was resident, in MB above the beginning, as the only element."""
    before = resident_mb(process)
    most = [0.0]

    async def watch() -> None:
        while True:
            most[0] = max(most[0], resident_mb(process) - before)
            await asyncio.sleep(0.01)

    watching = asyncio.create_task(watch())
    try:
        yield most
    finally:
        watching.cancel()


async def send(writer: asyncio.StreamWriter, size: int, piece: bytes = b"0," * 40_000) -> None:
    """Send `size` bytes as fast as they are taken; whoever is not listening any more gets less."""
    sent = 0
    try:
        while sent < size:
            writer.write(piece[: size - sent])
            await writer.drain()
            sent += len(piece)
    except ConnectionError:
        pass


ROUTES = [
    "POST /v1/dead-letters/replay",
    "POST /v1/jobs",
    "DELETE /v1/dead-letters",
    "POST /v1/sign-in-links",
    "POST /v1/keys",
]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("key", [(), ("Authorization: Bearer wrong-key-of-some-length",)])
async def test_a_large_body_without_a_key_is_refused_at_its_headers(process: Any, route: str, key: tuple[str]) -> None:
    async with process.client() as client:
        await client.get("/v1/jobs")  # warm
    lines = (*key, "Content-Type: application/json", f"Content-Length: {BODY_BYTES}")
    async with watched_memory(process) as most, connection(process) as (reader, writer):
        writer.write(head(process, route, *lines))
        await writer.drain()
        began = time.perf_counter()
        sending = asyncio.create_task(send(writer, BODY_BYTES))
        status = await asyncio.wait_for(reader.readline(), 30)
        took_s = time.perf_counter() - began
        await sending
        await asyncio.sleep(0.1)
    assert status.startswith(b"HTTP/1.1 401 ")
    assert took_s < 0.05
    assert most[0] < 5


async def test_a_form_to_sign_in_is_never_kept(process: Any) -> None:
    lines = ("Content-Type: multipart/form-data; boundary=b", f"Content-Length: {BODY_BYTES}")
    part = b'--b\r\nContent-Disposition: form-data; name="key"; filename="a"\r\n\r\n'
    async with watched_memory(process) as most, connection(process) as (reader, writer):
        writer.write(head(process, "POST /login", *lines) + part)
        sending = asyncio.create_task(send(writer, BODY_BYTES - len(part)))
        status = await asyncio.wait_for(reader.readline(), 30)
        await sending
    assert status.startswith(b"HTTP/1.1 413 ")
    assert most[0] < 5
