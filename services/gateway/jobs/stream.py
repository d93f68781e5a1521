"""A job's changes as server-sent events: a whole snapshot each, so that a missed one costs nothing."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

from services.gateway.jobs.read_model import ReadModel
from services.gateway.jobs.view import TERMINAL, Job
from services.gateway.jobs.wakeups import Wakeups
from shared.errors import DatabaseError

RETRY_MS = 2000
ASKED_EVERY_S = 2.0


def is_over(job: Job, seen: int | None) -> bool:
    """Whether the caller has seen the last of this job's events."""
    return job.status in TERMINAL and seen is not None and seen >= job.revision


def snapshot(job: Job) -> bytes:
    """One event."""
    return f"id: {job.revision}\nevent: job\ndata: {job.model_dump_json()}\n\n".encode()


async def events(
    read_model: ReadModel,
    wakeups: Wakeups,
    owner: str,
    job_id: str,
    *,
    still_known: Callable[[], Awaitable[bool]],
    seen: int | None,
    poll_s: float,
    heartbeat_s: float,
) -> AsyncIterator[bytes]:
    """Snapshots newer than revision `seen`, until the job has come to an end, is deleted, or the process stops.

    They also end within seconds when the caller is `still_known` no longer, because a key was revoked or has expired.
    Several replicas may write the read model: besides being woken by this one's writes it looks every `poll_s`.
    """
    yield f"retry: {RETRY_MS}\n\n".encode()
    quiet_since_s = asked_s = time.monotonic()
    with wakeups.of(job_id) as changed:
        while not wakeups.stopping:
            changed.clear()
            with suppress(DatabaseError):  # it comes back; heartbeats keep the line open until then
                if time.monotonic() - asked_s >= ASKED_EVERY_S:
                    if not await still_known():
                        return
                    asked_s = time.monotonic()
                job = await read_model.get(owner, job_id)
                if job is None:
                    yield b"event: deleted\ndata: {}\n\n"
                    return
                if seen is None or job.revision > seen:
                    seen, quiet_since_s = job.revision, time.monotonic()
                    yield snapshot(job)
                if job.status in TERMINAL:
                    return
            if time.monotonic() - quiet_since_s >= heartbeat_s:
                quiet_since_s = time.monotonic()
                yield b": heartbeat\n\n"
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), poll_s)
