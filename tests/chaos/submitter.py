"""Another system: it puts sources into the inbox, and submits jobs of its own ids by events."""

import asyncio
import contextlib
import json
import secrets
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shared.events import JobSubmitted
from shared.messaging.topology import EVENTS_EXCHANGE
from tests.chaos.cases import Case, Wish
from tests.chaos.connections import GIVE_UP_S
from tests.chaos.s3 import BUCKET, s3_client
from tests.chaos.stack import Stack
from tests.chaos.tap import Letter, Tap

INBOX = "inbox/chaos"
AGAIN_S = 0.5


class Submitter:
    """Submits until the broker has confirmed. `put` are the keys in the inbox, which nobody else may remove."""

    def __init__(self, stack: Stack, tap: Tap) -> None:
        self._stack = stack
        self._tap = tap
        self.put: set[str] = set()

    async def submit(self, case: Case) -> None:
        """Submit a job; `case` learns its id once it is confirmed."""
        key = f"{INBOX}/{case.wish.key}/{case.wish.content.name}"
        await self._put(key, case.wish.content.source())
        letter = letter_of(case.wish, key)
        deadline = time.monotonic() + GIVE_UP_S
        while time.monotonic() < deadline:
            case.tries += 1
            if await self._tap.send(letter):
                case.job_id, case.first_202_at = case.wish.key, time.time()
                return
        case.notes.append("never confirmed")

    async def _put(self, key: str, body: bytes) -> None:
        """Put a source into the inbox; a disk that is full or a server that is away is tried again."""
        while key not in self.put:
            with contextlib.suppress(OSError, BotoCoreError, ClientError):
                await asyncio.to_thread(self._put_once, key, body)
                self.put.add(key)
                return
            await asyncio.sleep(AGAIN_S)

    def _put_once(self, key: str, body: bytes) -> None:
        if self._stack.objects is not None:
            with s3_client(self._stack.s3) as client:
                client.put_object(Bucket=BUCKET, Key=key, Body=body)
            return
        path = self._stack.home / "objects" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}")
        unfinished.write_bytes(body)
        unfinished.replace(path)


def letter_of(wish: Wish, key: str) -> Letter:
    """The submission as it is sent: without a word about what it is, or as a CloudEvent in binary or structured mode.

    Some systems write their ids in upper case, and some begin the job's trace.
    """
    odd = wish.number % 2 == 1
    job_id = wish.key.upper() if odd else wish.key
    data: dict[str, Any] = {"job_id": job_id, "source": {"key": key, "name": wish.content.name}, "owner": wish.owner}
    attributes = {"id": f"submission-{wish.key}", "type": JobSubmitted.routing_key, "source": "/chaos"}
    traceparent = {"traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"} if wish.number % 3 else {}
    exchange, routing_key = EVENTS_EXCHANGE.name, JobSubmitted.routing_key
    match wish.way:
        case "structured":
            event = {"specversion": "1.0", **attributes, "data": data}
            body, content_type = json.dumps(event).encode(), "application/cloudevents+json; charset=utf-8"
            return Letter(exchange, routing_key, body, {**traceparent}, content_type)
        case "binary":
            headers = {f"cloudEvents:{name}": value for name, value in {"specversion": "1.0", **attributes}.items()}
            return Letter(exchange, routing_key, json.dumps(data).encode(), {**headers, **traceparent})
        case _:
            return Letter(exchange, routing_key, json.dumps(data).encode(), {**traceparent})
