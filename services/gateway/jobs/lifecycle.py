"""What an owner does to an accepted job: cancel it, have it tried again, delete it.

Each is one write that decides, and then a message that tells; what is not told at once, the sweeper tells.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from services.gateway.jobs.admission import PUBLISH_S, Admission, trace_of
from services.gateway.jobs.derive import run_of
from services.gateway.jobs.document import PENDING_CANCELLATION, PENDING_DELETION
from services.gateway.jobs.ends import Ends
from services.gateway.jobs.read_model import ReadModel
from services.gateway.jobs.submission import uploads_of
from shared.database import Document
from shared.errors import BrokerError, DatabaseError, StorageError
from shared.events import JobCancelled, JobDeleted
from shared.messaging.publish import Publish, message_id
from shared.storage import ObjectStore

log = structlog.get_logger()


class Lifecycle:
    """Ends jobs, and begins them again. `purge_letters` removes the dead letters of a job."""

    def __init__(
        self,
        read_model: ReadModel,
        store: ObjectStore,
        publish: Publish,
        admission: Admission,
        ends: Ends,
        purge_letters: Callable[[str], Awaitable[object]],
    ) -> None:
        self._read_model = read_model
        self._store = store
        self._publish = publish
        self._admission = admission
        self._ends = ends
        self._purge_letters = purge_letters

    async def cancel(self, owner: str, job_id: str) -> bool:
        """Cancel the present run; whether it is cancelled now. False: it had ended before."""
        if not await self._read_model.cancel(job_id):
            return False
        document = await self._read_model.document(job_id)
        if document is not None and document.get("pending") == PENDING_CANCELLATION:
            await self._soon(self.finish_cancellation(document), "cancellation", job_id)
        if document is not None:
            await self._ends.tell_soon(document)
        await self._admission.ended(owner)
        return True

    async def finish_cancellation(self, document: Document) -> None:
        """Publish that a run is cancelled; safe to repeat. Raises BrokerError."""
        event = JobCancelled(job_id=document["_id"], run=run_of(document["facts"]))
        with trace_of(document):
            await self._publish(event, message_id=message_id(event))
            await self._read_model.settle(document)

    async def retry(self, owner: str, job_id: str) -> bool:
        """Begin a further run, which makes only what is missing; False when the job is under way or done."""
        if not await self._read_model.retry(job_id):
            return False
        # Whatever died in earlier runs is superseded; a letter that stays behind for now does no harm.
        await self._soon(self._purge_letters(job_id), "removal of dead letters", job_id)
        await self._admission.admit_soon(owner)
        return True

    async def delete(self, owner: str | None, job_id: str) -> None:
        """Forget a job here and tell every other service."""
        await self._read_model.forget(job_id, untold=True)
        document = await self._read_model.document(job_id)
        if document is not None and document.get("pending") == PENDING_DELETION:
            await self._soon(self.finish_deletion(document), "deletion", job_id)
        if owner is not None:
            await self._admission.ended(owner)

    async def finish_deletion(self, document: Document) -> None:
        """Publish that a job is deleted, and remove its uploads and dead letters; safe to repeat."""
        job_id = document["_id"]
        event = JobDeleted(job_id=job_id)
        await self._publish(event, message_id=message_id(event))
        await self._store.delete_all(uploads_of(job_id))
        await self._purge_letters(job_id)
        await self._read_model.settle(document)

    async def _soon(self, work: Awaitable[object], what: str, job_id: str) -> None:
        try:
            await asyncio.wait_for(work, PUBLISH_S)
        except (BrokerError, DatabaseError, StorageError, TimeoutError) as error:
            log.warning("goes on later", what=what, job_id=job_id, error=str(error)[:300])
