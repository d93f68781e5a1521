"""Finishes what a killed gateway or an absent broker left half done, and removes what nobody needs any more."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from services.gateway.jobs.admission import Admission
from services.gateway.jobs.document import PENDING_CANCELLATION, PENDING_DELETION
from services.gateway.jobs.ends import Ends
from services.gateway.jobs.lifecycle import Lifecycle
from services.gateway.jobs.outlook import Outlook
from services.gateway.jobs.read_model import ReadModel
from services.gateway.jobs.submission import UPLOADS
from services.gateway.jobs.view import Status
from services.gateway.jobs.watchdog import Watchdog
from shared.errors import LecternError
from shared.storage import ObjectStore
from shared.telemetry import work_on

log = structlog.get_logger()

# News of a job may come before its submission, by minutes at the worst; after a day it was a stranger's invention.
UNOWNED_AGE = timedelta(days=1)
# The embedded database compares each document found with each name that is asked for.
_AT_ONCE = 50

_UNSUCCESSFUL: tuple[Status, ...] = ("failed", "cancelled")
_SUCCESSFUL: tuple[Status, ...] = ("partial", "done")


@dataclass(frozen=True)
class Times:
    """How often it looks, in seconds, and how old what it looks for must be. `None` days: for ever."""

    pause_s: float
    untold_s: float
    orphans_every_s: float = 3600.0
    # From the end of an upload to its job take milliseconds; an hour leaves no doubt.
    orphan_age_s: float = 3600.0
    failed_days: float | None = None
    done_days: float | None = None


class Sweeper:
    """Looks after jobs that wait, ends that nobody was told of, silent and expired jobs, and orphaned uploads."""

    def __init__(
        self,
        read_model: ReadModel,
        outlook: Outlook,
        admission: Admission,
        lifecycle: Lifecycle,
        ends: Ends,
        watchdog: Watchdog,
        store: ObjectStore,
        times: Times,
    ) -> None:
        self._read_model = read_model
        self._outlook = outlook
        self._admission = admission
        self._lifecycle = lifecycle
        self._ends = ends
        self._watchdog = watchdog
        self._store = store
        self._times = times

    async def run(self) -> None:
        """Sweep until cancelled. What one look meets does not keep the others from looking."""
        rarely_due_s = 0.0
        while True:
            looks: list[Callable[[], Awaitable[None]]] = [self.admit, self.tell, self._watchdog.look]
            if time.monotonic() >= rarely_due_s:
                looks += [self.expire, self.remove_orphans]
                rarely_due_s = time.monotonic() + self._times.orphans_every_s
            for look in looks:
                try:
                    await look()
                except LecternError as error:
                    log.warning("sweep goes on later", error=str(error)[:300])
            await asyncio.sleep(self._times.pause_s)

    async def admit(self) -> None:
        """Publish waiting jobs for which there is room."""
        for owner in await self._outlook.waiting_owners():
            await self._admission.admit(owner)

    async def tell(self) -> None:
        """Publish cancellations, deletions and ends that nobody has been told of."""
        before = datetime.now(UTC) - timedelta(seconds=self._times.untold_s)
        for document in await self._outlook.untold(PENDING_CANCELLATION, since_before=before):
            await self._lifecycle.finish_cancellation(document)
        for document in await self._outlook.untold(PENDING_DELETION, since_before=before):
            await self._lifecycle.finish_deletion(document)
        for document in await self._outlook.untold_ends(since_before=before):
            await self._ends.tell(document)

    async def expire(self) -> None:
        """Delete jobs that ended too long ago, and news of jobs that never were."""
        for statuses, days in ((_UNSUCCESSFUL, self._times.failed_days), (_SUCCESSFUL, self._times.done_days)):
            if days is None:
                continue
            before = datetime.now(UTC) - timedelta(days=days)
            for document in await self._outlook.expired(statuses, since_before=before):
                with work_on(job_id=document["_id"], owner=document.get("owner")):
                    await self._lifecycle.delete(document.get("owner"), document["_id"])
                    log.info("expired job deleted", status=document["status"])
        await self._read_model.forget_unowned(since_before=datetime.now(UTC) - UNOWNED_AGE)

    async def remove_orphans(self) -> None:
        """Remove uploads whose request never became a job, because the gateway was killed in between."""
        before_s = time.time() - self._times.orphan_age_s
        old: list[str] = []
        async for upload in self._store.walk(UPLOADS):
            if upload.modified_s < before_s:
                old.append(upload.key)
            if len(old) == _AT_ONCE:
                await self._remove_unused(old)
                old.clear()
        await self._remove_unused(old)
        await self._store.abandon(UPLOADS, before_s)

    async def _remove_unused(self, keys: list[str]) -> None:
        used = await self._outlook.sources({_job_of(key) for key in keys})
        for key in keys:
            if key not in used:
                await self._store.delete(key)
                log.info("orphaned upload removed", key=key, job_id=_job_of(key))


def _job_of(key: str) -> str:
    return key.removeprefix(UPLOADS).partition("/")[0]
