"""`lectern keys` against a gateway that is its own process, and a first key that is replaced between two starts."""

import asyncio
import json
import os
import re
import sys
from typing import Any

import httpx

from services.gateway.jobs.stream import ASKED_EVERY_S

FIRST = "lk_another-first-key-of-some-length"


async def lectern(process: Any, *arguments: str) -> tuple[int, str]:
    environment = {**os.environ, "LECTERN_HOME": str(process.home), "LECTERN_URL": process.url}
    environment.pop("LECTERN_API_KEY", None)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.cli.main", *arguments, env=environment, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(child.communicate(), 60)
    assert child.returncode is not None
    return child.returncode, output.decode()


async def status(process: Any, key: str) -> int:
    async with httpx.AsyncClient(base_url=process.url) as client:
        return (await client.get("/v1/keys", headers={"Authorization": f"Bearer {key}"})).status_code


async def test_a_key_from_its_making_to_its_end(process: Any) -> None:
    code, key = await lectern(process, "keys", "create", "Lab", "--owner", "bo", "--role", "administrator")
    assert (code, await status(process, key.strip())) == (0, 200)
    code, output = await lectern(process, "keys", "list", "--json")
    made, first = json.loads(output)["keys"]
    assert (code, made["name"], first["owner"]) == (0, "Lab", "local")
    assert (await lectern(process, "keys", "revoke", made["id"]))[0] == 0
    assert await status(process, key.strip()) == 401
    assert (await lectern(process, "keys", "revoke", first["id"]))[0] == 1


async def test_another_line_in_the_file_revokes_the_first_key_at_the_next_start(process: Any) -> None:
    file = process.home / "api-key"
    before = file.read_text().strip()
    file.write_text(FIRST + "\n")
    assert (await status(process, before), await status(process, FIRST)) == (200, 401)
    await process.end()
    await process.start()
    assert (await status(process, before), await status(process, FIRST)) == (401, 200)


async def create_key(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.post("/v1/keys", json={"name": "Lab", "owner": "local"})
    return dict(answer.json())


async def follow(client: httpx.AsyncClient, job_id: str, begun: asyncio.Event) -> None:
    """Read a job's events until the gateway ends them."""
    async with client.stream("GET", f"/v1/jobs/{job_id}/events") as stream:
        assert stream.status_code == 200
        async for line in stream.aiter_lines():
            if line.startswith("data: "):
                begun.set()


async def test_what_a_key_follows_ends_within_seconds_of_its_revocation(process: Any) -> None:
    async with process.client() as client, httpx.AsyncClient(base_url=process.url) as other:
        made = await create_key(client)
        other.headers["Authorization"] = f"Bearer {made['key']}"
        job_id = (await client.post("/v1/jobs", files={"file": ("a.mp4", b"content")})).json()["job_id"]
        begun, kept = asyncio.Event(), asyncio.Event()
        following = asyncio.create_task(follow(other, job_id, begun))
        keeping = asyncio.create_task(follow(client, job_id, kept))
        await asyncio.wait_for(asyncio.gather(begun.wait(), kept.wait()), 10)
        await asyncio.sleep(ASKED_EVERY_S + 1)
        assert not following.done()
        await client.delete(f"/v1/keys/{made['id']}")
        await asyncio.wait_for(following, ASKED_EVERY_S + 3)
        assert not keeping.done()
        assert (await other.get(f"/v1/jobs/{job_id}/events")).status_code == 401
        keeping.cancel()


async def test_what_a_session_follows_ends_with_it(process: Any) -> None:
    async with process.client() as client, httpx.AsyncClient(base_url=process.url) as browser:
        made = await create_key(client)
        job_id = (await client.post("/v1/jobs", files={"file": ("a.mp4", b"content")})).json()["job_id"]
        assert (await browser.post("/login", data={"key": made["key"]})).status_code == 303
        begun = asyncio.Event()
        following = asyncio.create_task(follow(browser, job_id, begun))
        await asyncio.wait_for(begun.wait(), 10)
        token = re.search(r'"csrf_token" value="([^"]+)"', (await browser.get("/")).text)
        assert token is not None
        assert (await browser.post("/logout", data={"csrf_token": token[1]})).status_code == 303
        await asyncio.wait_for(following, ASKED_EVERY_S + 3)
