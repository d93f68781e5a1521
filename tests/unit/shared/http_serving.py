"""A small application behind the bounded HTTP server, and what one connection is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from shared.http_server.connections import ConnectionLimits, Connections
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
