"""Answers that take longer than any limit on requests: those hold for what a client still has to send alone."""

import asyncio
import hashlib
from typing import Any

import httpx

from shared.events import Artifact, HandoutRendered, JobSubmitted, SourceFacts, SourceIngested, SubmittedSource
from shared.storage import ObjectRef

LIMIT_S = 0.5
ENVIRONMENT = {
    "GATEWAY_BODY_STALL_S": str(LIMIT_S),
    "GATEWAY_HEADER_TIMEOUT_S": str(LIMIT_S),
    "GATEWAY_IDLE_TIMEOUT_S": str(LIMIT_S),
    "GATEWAY_JOBS_IN_FLIGHT": "100",
}
SIZE = 30_000_000  # more than lies in the buffers between the gateway and a client


async def known(client: httpx.AsyncClient, job_id: str) -> None:
    async with asyncio.timeout(30):
        while (await client.get(f"/v1/jobs/{job_id}")).status_code != httpx.codes.OK:
            await asyncio.sleep(0.05)


def nothing_failed(process: Any) -> bool:
    said = (process.home / "gateway.log").read_text()
    return "failed unexpectedly" not in said and "Traceback" not in said


async def test_a_stream_of_events_goes_on_for_as_long_as_its_job(process: Any, publish: Any) -> None:
    job_id = "long-stream-0001"
    source = ObjectRef(key="a", sha256="0" * 64, size=1, media_type="audio/wav")
    facts = SourceFacts(kind="recording", name="a.mp4", duration_s=12.5)
    async with process.client() as client:
        await publish(JobSubmitted(job_id=job_id, source=SubmittedSource(key="inbox/a.mp4", name="a.mp4")))
        await known(client, job_id)
        async with client.stream("GET", f"/v1/jobs/{job_id}/events") as stream:
            lines = stream.aiter_lines()
            assert await anext(lines)
            await asyncio.sleep(6 * LIMIT_S)
            await publish(SourceIngested(job_id=job_id, facts=facts, original=source, source=source))
            async with asyncio.timeout(20):
                while '"duration_s":12.5' not in (await anext(lines)).replace(" ", ""):
                    pass
    assert nothing_failed(process)


async def test_a_file_arrives_whole_at_whoever_reads_slowly(process: Any, publish: Any) -> None:
    job_id, content = "long-download-0001", bytes(range(256)) * (SIZE // 256)
    key = f"rendering/{job_id}/handout.pdf"
    path = process.home / "objects" / key
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    kept = ObjectRef(
        key=key, sha256=hashlib.sha256(content).hexdigest(), size=len(content), media_type="application/pdf"
    )
    async with process.client() as client:
        await publish(JobSubmitted(job_id=job_id, source=SubmittedSource(key="inbox/a.mp4", name="a.mp4")))
        await publish(HandoutRendered(job_id=job_id, title="A", artifacts=(Artifact(name="handout.pdf", object=kept),)))
        await known(client, job_id)
        async with asyncio.timeout(30):
            while (await client.get(f"/v1/jobs/{job_id}")).json()["status"] != "done":
                await asyncio.sleep(0.05)
        found = bytearray()
        async with client.stream("GET", f"/v1/jobs/{job_id}/artifacts/handout.pdf") as answer:
            async for piece in answer.aiter_bytes(SIZE // 6):
                found += piece
                await asyncio.sleep(LIMIT_S)
        assert found == content
    assert nothing_failed(process)


async def test_a_body_that_stalls_is_still_ended(process: Any) -> None:
    async def stalling() -> Any:
        yield b'{"'
        await asyncio.sleep(10 * LIMIT_S)
        yield b"}"

    async with process.client() as client:
        answer = await client.post("/v1/keys", content=stalling(), headers={"Content-Type": "application/json"})
        assert answer.status_code == httpx.codes.REQUEST_TIMEOUT
