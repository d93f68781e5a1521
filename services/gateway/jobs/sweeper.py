"""Finishes what a killed gateway or an absent broker left half done, and removes uploads that belong to no job."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import structlog
from opentelemetry import context, propagate

from services.gateway.jobs.read_model import PENDING_DELETION, PENDING_SUBMISSION, ReadModel
from services.gateway.jobs.submission import UPLOADS, Submissions, event_again
from services.gateway.jobs.view import DELETED
from shared.errors import LecternError
from shared.storage import ObjectStore

log = structlog.get_logger()

ORPHANS_EVERY_S = 3600.0
# From the end of an upload to its job take milliseconds; an hour leaves no doubt.
ORPHAN_AGE_S = 3600.0


class Sweeper:
    """Looks every `pause_s` seconds for jobs and deletions older than `age_s` that nobody was told of."""

    def __init__(
        self, read_model: ReadModel, submissions: Submissions, store: ObjectStore, *, pause_s: float, age_s: float
    ) -> None:
        self._read_model = read_model
        self._submissions = submissions
        self._store = store
        self._pause_s = pause_s
        self._age = timedelta(seconds=age_s)

    async def run(self) -> None:
        """Sweep until cancelled."""
        orphans_due_s = 0.0
        while True:
            try:
                await self.sweep()
                if time.monotonic() >= orphans_due_s:
                    await self.remove_orphans()
                    orphans_due_s = time.monotonic() + ORPHANS_EVERY_S
            except LecternError as error:
                log.warning("sweep goes on later", error=str(error)[:300])
            await asyncio.sleep(self._pause_s)

    async def sweep(self) -> None:
        """Publish what is due. Raises LecternError when something that it needs is away."""
        before = datetime.now(UTC) - self._age
        for document in await self._read_model.pending(PENDING_SUBMISSION, since_before=before):
            with _trace_of(document.get("traceparent")):
                await self._submissions.announce(event_again(document))
            log.info("unpublished job published", job_id=document["_id"])
        for document in await self._read_model.pending(PENDING_DELETION, since_before=before):
            await self._submissions.finish_deletion(document["_id"])

    async def remove_orphans(self) -> None:
        """Remove uploads whose request never became a job, because the gateway was killed in between."""
        before_s = time.time() - ORPHAN_AGE_S
        async for upload in self._store.walk(UPLOADS):
            if upload.modified_s < before_s and not await self._is_used(upload.key):
                await self._store.delete(upload.key)
                log.info("orphaned upload removed", key=upload.key)

    async def _is_used(self, key: str) -> bool:
        document = await self._read_model.document(key.removeprefix(UPLOADS).partition("/")[0])
        if document is None or document["status"] == DELETED:
            return False
        return bool(document["facts"].get("submitted", {}).get("key") == key)


@contextmanager
def _trace_of(traceparent: str | None) -> Iterator[None]:
    """Publish inside the trace of the request that the job came with."""
    token = context.attach(propagate.extract({"traceparent": traceparent} if traceparent else {}))
    try:
        yield
    finally:
        context.detach(token)
