"""The gateway as its own process on a real broker and a real database."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import aio_pika
import httpx
from pymongo import AsyncMongoClient

from services.gateway.jobs.document import PENDING_SUBMISSION, pending
from shared.events import HandoutRendered, JobSubmitted, SourceFacts, SourceIngested, SubmittedSource, UnitFinished
from shared.storage import ObjectRef

# Jobs of these and of earlier tests never end: none waits for another.
ENVIRONMENT = {"GATEWAY_JOBS_IN_FLIGHT": "100"}


async def follow(
    client: httpx.AsyncClient, job_id: str, begun: asyncio.Event | None = None, **headers: str
) -> list[dict[str, Any]]:
    """The events of a job until the gateway ends them; `begun` is set with the first one."""
    seen: list[dict[str, Any]] = []
    async with client.stream("GET", f"/v1/jobs/{job_id}/events", headers=headers) as stream:
        if stream.status_code == 204:
            return []
        async for line in stream.aiter_lines():
            if line.startswith("data: "):
                seen.append(json.loads(line.removeprefix("data: ")))
                if begun is not None:
                    begun.set()
    return seen


def ref(key: str, content: bytes = b"x") -> ObjectRef:
    return ObjectRef(key=key, sha256="0" * 64, size=len(content), media_type="application/pdf")


async def test_events_of_any_publisher_become_live_progress(process: Any, publish: Any) -> None:
    job_id = "external-0001"
    submitted = JobSubmitted(job_id=job_id, source=SubmittedSource(key="inbox/a.mp4", name="a.mp4"))
    async with process.client() as client:
        await publish(submitted)
        for _ in range(600):
            if (await client.get(f"/v1/jobs/{job_id}")).status_code == 200:
                break
            await asyncio.sleep(0.05)
        begun = asyncio.Event()
        following = asyncio.create_task(follow(client, job_id, begun))
        await asyncio.wait_for(begun.wait(), 30)
        await publish(UnitFinished(job_id=job_id, stage="transcription", unit="speech-2", units=2))
        facts = SourceFacts(kind="recording", name="a.mp4", duration_s=12.5)
        await publish(SourceIngested(job_id=job_id, facts=facts, original=ref("a"), source=ref("a")))
        await publish(UnitFinished(job_id=job_id, stage="transcription", unit="speech-2", units=2))
        await publish(UnitFinished(job_id=job_id, stage="transcription", unit="speech-1", units=2))
        await publish(HandoutRendered(job_id=job_id, title="A", artifacts=()))
        seen = await asyncio.wait_for(following, 20)
        assert [job["revision"] for job in seen] == sorted({job["revision"] for job in seen})
        assert seen[0]["status"] == "submitted"
        assert seen[-1]["status"] == "done"
        assert seen[-1]["stages"][1] == {
            "stage": "transcription",
            "status": "done",
            "units_done": 2,
            "units": 2,
        }
        assert await follow(client, job_id, **{"Last-Event-ID": str(seen[-1]["revision"])}) == []


async def test_a_dead_letter_fails_its_job_and_garbage_harms_nobody(process: Any, rabbitmq: Any) -> None:
    connection = await aio_pika.connect(rabbitmq.url)
    async with connection, process.client() as client:
        answer = await client.post("/v1/jobs", files={"file": ("a.mp4", b"content")})
        job_id = answer.json()["job_id"]
        channel = await connection.channel()
        graves = await channel.get_exchange("lectern.dead-letters")
        for body in (b"\xff\x00", b"[]", b"", b'{"job_id": 5}'):
            await graves.publish(aio_pika.Message(body), "transcription.speech")
        await graves.publish(
            aio_pika.Message(
                json.dumps({"job_id": job_id}).encode(),
                headers={
                    "x-lectern-queue": "ingest.submissions",
                    "x-lectern-code": "invalid_source",
                    "x-lectern-public-message": "This file is not a recording.",
                    "x-lectern-reason": "permanent-error",
                },
            ),
            "ingest.submissions",
        )
        [*_, last] = await asyncio.wait_for(follow(client, job_id), 20)
        assert last["status"] == "failed"
        assert last["error"] == {
            "code": "invalid_source",
            "message": "This file is not a recording.",
            "stage": "ingest",
            "permanent": False,
        }
        assert (await client.get("/health/ready")).status_code == 200


async def test_an_accepted_job_survives_a_killed_gateway(process: Any) -> None:
    async with process.client() as client:
        accepted = (await client.post("/v1/jobs", files={"file": ("a.mp4", b"content")})).json()
        await process.end(signal.SIGKILL)
        await process.start()
        assert (await client.get(f"/v1/jobs/{accepted['job_id']}")).json()["job_id"] == accepted["job_id"]


async def test_what_a_killed_gateway_had_accepted_is_published_by_the_next(process: Any) -> None:
    async with process.client() as client, AsyncMongoClient(process.environment["LECTERN_MONGO_URL"]) as mongo:
        accepted = (await client.post("/v1/jobs", files={"file": ("a.mp4", b"content")})).json()
        jobs = mongo[f"{process.environment['LECTERN_MONGO_PREFIX']}_gateway"]["jobs"]
        async with asyncio.timeout(30):  # until it has heard itself: that write would undo the next one, or do its work
            while "seen_trace_id" not in (await jobs.find_one({"_id": accepted["job_id"]}))["facts"]:
                await asyncio.sleep(0.1)
        await process.end(signal.SIGKILL)
        waiting = {"$set": pending(PENDING_SUBMISSION), "$unset": {"active": ""}}
        await jobs.update_one({"_id": accepted["job_id"]}, waiting)  # as if it had been killed before it published
        await process.start()
        async with asyncio.timeout(30):
            while "pending" in (await jobs.find_one({"_id": accepted["job_id"]})):
                await asyncio.sleep(0.1)


def stored(process: Any) -> set[Path]:
    return {path for path in (process.home / "objects").rglob("*") if path.is_file()}


async def test_a_caller_that_goes_away_leaves_nothing(process: Any) -> None:
    before = stored(process)
    url = httpx.URL(process.url)
    key = (process.home / "api-key").read_text().strip()
    _reader, writer = await asyncio.open_connection(url.host, url.port)
    head = (
        f"POST /v1/jobs HTTP/1.1\r\nHost: {url.host}\r\nAuthorization: Bearer {key}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000000\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
    )
    writer.write(head.encode() + b"x" * 5_000_000)
    await writer.drain()
    partial = process.home / "partial"
    for _ in range(600):
        if any(partial.iterdir()):
            break
        await asyncio.sleep(0.05)
    assert any(partial.iterdir())
    writer.transport.abort()
    for _ in range(600):
        if not any(partial.iterdir()):
            break
        await asyncio.sleep(0.05)
    assert not any(partial.iterdir())
    assert stored(process) == before
    log = process.home / "gateway.log"
    for _ in range(600):
        if "the caller went away" in log.read_text():
            break
        await asyncio.sleep(0.05)
    assert "the caller went away" in log.read_text()
    assert "request failed unexpectedly" not in log.read_text()


async def test_a_stream_does_not_hold_up_the_end(process: Any) -> None:
    async with process.client() as client:
        job_id = (await client.post("/v1/jobs", files={"file": ("a.mp4", b"content")})).json()["job_id"]
        begun = asyncio.Event()
        following = asyncio.create_task(follow(client, job_id, begun))
        await asyncio.wait_for(begun.wait(), 30)
        started = asyncio.get_running_loop().time()
        await process.end()
        assert asyncio.get_running_loop().time() - started < 2.5
        await asyncio.wait_for(following, 2)


async def test_uploads_take_bounded_memory(process: Any) -> None:
    def resident_mb() -> float:
        assert process.child is not None
        pages = int(Path(f"/proc/{process.child.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    before = resident_mb()
    peak = before

    async def watch() -> None:
        nonlocal peak
        while True:
            peak = max(peak, resident_mb())
            await asyncio.sleep(0.05)

    async with process.client() as client:
        watching = asyncio.create_task(watch())
        source = process.home / "large.bin"
        with source.open("wb") as file:
            file.truncate(180_000_000)
        with source.open("rb") as file:
            answer = await client.post("/v1/jobs", files={"file": ("large.mp4", file)})
        watching.cancel()
        assert answer.status_code == 202
        assert peak - before < 60
        with source.open("r+b") as file:
            file.truncate(201_500_000)
        with source.open("rb") as file:
            answer = await client.post("/v1/jobs", files={"file": ("large.mp4", file)})
        assert answer.status_code == 413
        with source.open("rb") as file:
            headers = {"Authorization": "Bearer wrong"}
            answer = await client.post("/v1/jobs", files={"file": ("large.mp4", file)}, headers=headers)
        assert answer.status_code == 401
