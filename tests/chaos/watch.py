"""Looks at all jobs all the time, as their owner can, and notices one that moves back or ends twice."""

import asyncio
import json
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import httpx

from tests.chaos.cases import ENDED
from tests.chaos.clients import Account
from tests.chaos.owners import Owners

LOOK_EVERY_S = 1.0
RANK = {"submitted": 0, "running": 1}
END_RANK = 2


@dataclass
class Watch:
    """What was seen of each job: its statuses by run, one after the other, without repetitions."""

    seen: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))
    # Apart from what the list showed: the two are not in step.
    streamed: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))
    streams: int = 0
    listed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def note(self, job: dict[str, Any], owner: str) -> None:
        """One sight of a job, in a list of `owner`."""
        self.listed[owner].add(job["job_id"])
        sight = (int(job.get("run") or 1), str(job["status"]))
        history = self.seen[job["job_id"]]
        if not history or history[-1] != sight:
            history.append(sight)

    def findings(self, mended: set[str]) -> list[str]:
        """Histories that no job may have.

        One whose failing unit was `mended` may go on in the same run: an administrator replays its dead letter, or
        another copy of the message that was given up succeeds.
        """
        found = []
        for job_id, history in (*self.seen.items(), *self.streamed.items()):
            if job_id in mended:
                continue
            for before, after in pairwise(history):
                if not _may_follow(before, after):
                    found.append(f"job {job_id} went from {before} to {after}; all that was seen: {history}")
        return found


def _may_follow(before: tuple[int, str], after: tuple[int, str]) -> bool:
    if after[0] != before[0]:
        return after[0] > before[0]
    return before[1] not in ENDED and _rank(after[1]) >= _rank(before[1])


def _rank(status: str) -> int:
    return RANK.get(status, END_RANK)


async def look_on(owners: Owners, watch: Watch) -> None:
    """Look at page after page of everybody's lists, for ever. Two looks never overlap: each is newer than the last."""
    while True:
        for account in list(owners.accounts.values()):
            await _look_through(account, watch)


async def _look_through(account: Account, watch: Watch) -> None:
    cursor: str | None = None
    while True:
        began = time.monotonic()
        try:
            page = await account.page(cursor)
        except RuntimeError:
            return
        for job in page["jobs"]:
            watch.note(job, account.owner)
        cursor = page["cursor"]
        await asyncio.sleep(max(0.1, LOOK_EVERY_S - (time.monotonic() - began)))
        if cursor is None:
            return


async def follow(account: Account, job_id: str, watch: Watch) -> None:
    """Follow one job by its stream of events, coming back after each break, until it has ended."""
    last: str | None = None
    history = watch.streamed[job_id]
    while True:
        headers = {"Last-Event-ID": last} if last else {}
        try:
            async with account.stream(f"/v1/jobs/{job_id}/events", headers) as answer:
                if answer.status_code in (204, 404):
                    return
                async for line in answer.aiter_lines():
                    if line.startswith("id: "):
                        last = line.removeprefix("id: ")
                    elif line.startswith('data: {"'):
                        watch.streams += 1
                        job = json.loads(line.removeprefix("data: "))
                        sight = (int(job.get("run") or 1), str(job["status"]))
                        if not history or history[-1] != sight:
                            history.append(sight)
        except httpx.TransportError:
            pass
        await asyncio.sleep(1.0)
