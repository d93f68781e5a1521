"""A gateway's own process: what it keeps of the dead letters of others, and that nothing stops it from reading on."""

import asyncio
import os
import sys
from typing import Any

import aio_pika

from shared.messaging.topology import BURIALS, DEAD_LETTERS_EXCHANGE, SPEECH

HOSTILE = {
    "huge number": b"[" + b"9" * 5000 + b"]",
    "deeply nested": b"[" * 100_000,
    "half a pair": b'{"job_id": "job-\\ud800", "run": 1}',
    "strange run": b'{"job_id": "job-00000009", "run": {"$set": 1e400}}',
    "nested events": b'{"data": {"job_id": "job-00000009", "data": []}, "run": 99999999999999999999}',
    "nothing": b"",
}


async def _lecterns_answer(process: Any, *arguments: str) -> str:
    """What the command prints."""
    environment = {**os.environ, "LECTERN_URL": process.url, "LECTERN_HOME": str(process.home), "LECTERN_API_KEY": ""}
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.cli.main",
        "dead-letters",
        *arguments,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await child.communicate()
    assert child.returncode == 0
    return output.decode()


async def _depth(url: str, queue: str) -> int:
    async with await aio_pika.connect(url) as connection:
        declared = await (await connection.channel()).declare_queue(queue, passive=True)
        return declared.declaration_result.message_count or 0


async def test_the_way_of_dead_letters_through_the_command(process: Any, rabbitmq: Any, make_letter: Any) -> None:
    async with process.client() as client, await aio_pika.connect(rabbitmq.url) as connection:
        channel = await connection.channel()
        for name in (SPEECH.name, SPEECH.dead_letters):
            await (await channel.get_queue(name, ensure=False)).purge()
        await client.delete("/v1/dead-letters", params={"all": True})
        exchange = await channel.get_exchange(DEAD_LETTERS_EXCHANGE.name)
        for name, body in HOSTILE.items():
            await exchange.publish(
                aio_pika.Message(body, message_id=name, headers={"x-death": [{"reason": 5}]}), SPEECH.name
            )
        await exchange.publish(make_letter(), SPEECH.name)

        async def listed() -> dict[str, Any]:
            answer = (await client.get("/v1/dead-letters", params={"limit": 100})).json()
            return {letter["message_id"]: letter for letter in answer["dead_letters"]}

        async with asyncio.timeout(60):
            while set(found := await listed()) != {*HOSTILE, "m-1"}:
                await asyncio.sleep(0.05)
        assert await _depth(rabbitmq.url, BURIALS.name) == 0

        letter = found["m-1"]["id"]
        assert letter in await _lecterns_answer(process, "list")
        assert "A processing engine failed" in await _lecterns_answer(process, "show", letter)
        assert "1 dead letter on the way" in await _lecterns_answer(process, "replay", letter)
        async with asyncio.timeout(60):
            while await _depth(rabbitmq.url, SPEECH.name) != 1:
                await asyncio.sleep(0.05)
        thrown = await _lecterns_answer(process, "purge", "--queue", SPEECH.name, "--yes")
        assert thrown == f"{len(HOSTILE)} dead letters thrown away.\n"
        async with asyncio.timeout(60):
            while await _depth(rabbitmq.url, SPEECH.dead_letters) or await listed():
                await asyncio.sleep(0.05)
        await (await channel.get_queue(SPEECH.name, ensure=False)).purge()
