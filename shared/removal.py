"""How a worker forgets a deleted job: its checkpoints, and the objects under its own prefix."""

from shared.checkpoints import Checkpoints
from shared.events import JobDeleted, Stage
from shared.messaging.broker import subscribe
from shared.messaging.topology import REMOVALS
from shared.service import Parts
from shared.storage import ObjectStore

PREFETCH = 4


class Removal:
    """Removes what one stage holds of a job. Safe to repeat."""

    def __init__(self, store: ObjectStore, checkpoints: Checkpoints, stage: Stage) -> None:
        self._store = store
        self._checkpoints = checkpoints
        self._stage = stage

    async def __call__(self, job_id: str) -> None:
        """Checkpoints first: once the tombstone stands, no handler begins to write for the job."""
        await self._checkpoints.forget(job_id)
        await self._store.delete_all(f"{self._stage}/{job_id}/")


def subscribe_removal(parts: Parts, checkpoints: Checkpoints, stage: Stage) -> None:
    """Let a worker take part in the deletion of jobs."""
    remove = Removal(parts.store, checkpoints, stage)

    async def on_job_deleted(event: JobDeleted) -> None:
        """Forget a job. Safe to redeliver: there is nothing left the second time."""
        await remove(event.job_id)

    subscribe(parts.broker, REMOVALS[stage], on_job_deleted, prefetch=PREFETCH)
