"""What strangers do to a gateway, over and over, as a program of its own: it must not slow down who measures.

python -m tests.integration.gateway.attacks ATTACK COUNT URL
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit


async def connect(url: str, number: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection from one of the many addresses that the loopback interface has."""
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port, local_addr=(f"127.0.0.{2 + number % 50}", 0))


def head(url: str, request_line: str, *lines: str) -> bytes:
    """A request's line and headers."""
    return "\r\n".join((f"{request_line} HTTP/1.1", f"Host: {urlsplit(url).netloc}", *lines, "", "")).encode()


def cookie(number: int) -> str:
    return f"Cookie: lectern_session={number}; " + "; ".join(f"c{n}=x" for n in range(500))


FLOODS: dict[str, Callable[[int], tuple[str, ...]]] = {
    "without a key": lambda _: ("GET /v1/jobs",),
    "guessed keys": lambda number: ("GET /v1/jobs", f"Authorization: Bearer lk_{number}{time.monotonic()}"),
    "guessed sessions": lambda number: ("GET /v1/jobs", cookie(number)),
    "the page": lambda _: ("GET /",),
    "asking for an upgrade": lambda _: ("GET /v1/jobs", "Connection: Upgrade", "Upgrade: websocket"),
    "a large document": lambda _: ("GET /openapi.json", "Accept-Encoding: gzip"),
    "a document that takes long to make": lambda _: ("GET /asyncapi.json",),
}


async def flood(url: str, number: int, lines: Callable[[int], tuple[str, ...]]) -> None:
    reader, writer = await connect(url, number)
    try:
        for _ in range(20):
            writer.write(head(url, *lines(number)))
            answer = await reader.readuntil(b"\r\n\r\n")
            length = answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length or 0))
    finally:
        writer.transport.abort()


async def slow_login(url: str, number: int) -> None:
    reader, writer = await connect(url, number)
    form = "Content-Type: application/x-www-form-urlencoded"
    writer.write(head(url, "POST /login", form, "Content-Length: 4000"))
    try:
        async with asyncio.timeout(2):
            while not reader.at_eof():
                writer.write(b"a")
                await asyncio.sleep(0.2)
    except TimeoutError:
        pass
    finally:
        writer.transport.abort()


async def endless_body(url: str, number: int) -> None:
    _reader, writer = await connect(url, number)
    writer.write(head(url, "POST /v1/jobs", "Content-Length: 100000000000"))
    try:
        for _ in range(100):
            writer.write(b"x" * 100_000)
            await writer.drain()
    finally:
        writer.transport.abort()


async def never_read(url: str, number: int) -> None:
    _reader, writer = await connect(url, number)
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport for reading too
    writer.write(head(url, "GET /openapi.json") * 10)
    try:
        await asyncio.sleep(1)
    finally:
        writer.transport.abort()


async def open_and_go(url: str, number: int) -> None:
    _reader, writer = await connect(url, number)
    writer.transport.abort()


WASTERS: dict[str, Callable[[str, int], Coroutine[Any, Any, None]]] = {
    "slow forms": slow_login,
    "endless bodies": endless_body,
    "answers never read": never_read,
    "connections opened and left": open_and_go,
}


async def main(name: str, count: int, url: str) -> None:
    """Attack until killed, `count` at a time."""
    os.nice(19)  # attackers have machines of their own

    async def once(number: int) -> None:
        if name in FLOODS:
            await flood(url, number, FLOODS[name])
        else:
            await WASTERS[name](url, number)

    async def again(number: int) -> None:
        while True:
            try:
                await once(number)
            except (OSError, asyncio.IncompleteReadError):  # it was put out
                await asyncio.sleep(0.01)

    await asyncio.gather(*(again(number) for number in range(count)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
