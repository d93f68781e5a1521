"""Many strangers at once: they are served as they can be, and whoever has a key hardly notices.

With the figures of a whole attack: HALF_OPEN=3000 .venv/bin/python -m pytest -n 0 -s -k half_open THIS_FILE
"""

import asyncio
import os
import resource
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.gateway.attacks import FLOODS, WASTERS, connect

HALF_OPEN = int(os.environ.get("HALF_OPEN", "400"))
WHOLE = HALF_OPEN >= 3000
ENVIRONMENT = {} if WHOLE else {"GATEWAY_HEADER_TIMEOUT_S": "3", "GATEWAY_MAX_CONNECTIONS": "200"}
HEADER_S = 30.0 if WHOLE else 3.0


@asynccontextmanager
async def measured(process: Any) -> AsyncIterator[list[float]]:
    """How long each request of a known caller takes meanwhile, in seconds; none may fail."""
    took_s: list[float] = []

    async def ask(client: httpx.AsyncClient) -> None:
        while True:
            began_s = time.perf_counter()
            assert (await client.get("/v1/jobs")).status_code == 200
            took_s.append(time.perf_counter() - began_s)
            await asyncio.sleep(0.02)

    async with process.client() as client:
        await client.get("/v1/jobs")
        asking = asyncio.create_task(ask(client))
        try:
            yield took_s
        finally:
            asking.cancel()
            await asyncio.wait([asking])
            assert asking.cancelled(), asking.exception()


@asynccontextmanager
async def under(attack: str, count: int, process: Any) -> AsyncIterator[None]:
    """Strangers at work, `count` at a time, for as long as the context lasts."""
    arguments = ("-m", "tests.integration.gateway.attacks", attack, str(count), process.url)
    child = await asyncio.create_subprocess_exec(sys.executable, *arguments)
    try:
        await asyncio.sleep(0.5)
        yield
        assert child.returncode is None
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def test_half_open_connections_end_in_time_and_nobody_else_notices(process: Any) -> None:
    async with measured(process) as took_s:
        began_s = time.monotonic()
        opened = [await connect(process.url, number) for number in range(HALF_OPEN)]
        for number, (_, writer) in enumerate(opened):
            writer.write(b"GET /v1/jobs HTTP/1.1\r\nHost: a"[: 1 + number % 30])
        all_s = time.monotonic() - began_s
        answers = await asyncio.gather(
            *(asyncio.wait_for(reader.read(), HEADER_S + 10) for reader, _ in opened), return_exceptions=True
        )
        ended_s = time.monotonic() - began_s
        for _, writer in opened:
            writer.transport.abort()
    assert all(isinstance(answer, bytes | ConnectionError) for answer in answers)
    assert sum(answer.startswith(b"HTTP/1.1 408 ") for answer in answers if isinstance(answer, bytes)) >= 100
    assert ended_s - all_s < HEADER_S + 5
    sys.stdout.write(f"{HALF_OPEN} opened in {all_s:.1f} s, gone after {ended_s:.1f} s; others: {figures(took_s)}\n")
    assert statistics.median(took_s) < 0.1


def figures(took_s: list[float]) -> str:
    ordered = sorted(took_s)
    at = {share: ordered[int(len(ordered) * share)] * 1000 for share in (0.5, 0.95, 0.99)}
    return f"{len(ordered)}, " + ", ".join(f"p{share * 100:.0f} {value:.0f} ms" for share, value in at.items())


async def compared(process: Any, attack: str, count: int) -> tuple[float, float]:
    """The median time of a known caller's request, in seconds, without and under an attack."""
    async with measured(process) as took_s:
        await asyncio.sleep(0.5)
        quiet_s = statistics.median(took_s)
        async with under(attack, count, process):
            took_s.clear()
            await asyncio.sleep(1.5)
            return quiet_s, statistics.median(took_s)


ALONE = pytest.mark.skipif(WHOLE, reason="HALF_OPEN asks for the figures of half-open connections alone")


@ALONE
@pytest.mark.parametrize("attack", FLOODS)
async def test_a_flood_of_requests_delays_strangers_alone(process: Any, attack: str) -> None:
    quiet_s, attacked_s = await compared(process, attack, 120)
    # Behind a hundred and twenty others each request would take half a second and more.
    assert attacked_s < 0.2 + 8 * quiet_s


@ALONE
@pytest.mark.parametrize(("attack", "count"), list(zip(WASTERS, (300, 20, 250, 20), strict=True)))
async def test_whoever_wastes_connections_wastes_their_own(process: Any, attack: str, count: int) -> None:
    before = resident_mb(process)
    quiet_s, attacked_s = await compared(process, attack, count)
    assert attacked_s < 0.2 + 8 * quiet_s
    assert resident_mb(process) - before < 60


def resident_mb(process: Any) -> float:
    pages = int(Path(f"/proc/{process.child.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def files_of(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def processor_s(process: Any) -> float:
    fields = Path(f"/proc/{process.child.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@ALONE
async def test_without_another_file_to_open_it_makes_room_and_does_not_spin(process: Any) -> None:
    pid = process.child.pid
    async with asyncio.timeout(30):  # what strangers opened in other tests is closed by then
        while files_of(pid) > 60:
            await asyncio.sleep(0.1)
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    assert before[0] >= 2 * int(ENVIRONMENT["GATEWAY_MAX_CONNECTIONS"])
    open_files = files_of(pid)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_files + 5, before[1]))
    opened = []
    try:
        for number in range(150):
            opened.append(await connect(process.url, number))
            opened[-1][1].write(b"GET / HT")
        began_s = processor_s(process)
        await asyncio.sleep(2)
        assert processor_s(process) - began_s < 1
        async with process.client() as client:
            assert (await client.get("/v1/jobs")).status_code == 200
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        for _, writer in opened:
            writer.transport.abort()
    said = (process.home / "gateway.log").read_text()
    assert said.count("no more files may be opened") == 1
    assert "Traceback" not in said
    async with process.client() as client:
        assert (await client.get("/v1/jobs")).status_code == 200
