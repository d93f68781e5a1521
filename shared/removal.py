"""How a worker takes part in the deletion of a job."""

from shared.checkpoints import Checkpoints
from shared.events import JobDeleted, Stage
from shared.messaging.broker import subscribe
from shared.messaging.topology import REMOVALS
from shared.service import Parts

PREFETCH = 4


def subscribe_removal(parts: Parts, checkpoints: Checkpoints, stage: Stage) -> None:
    """Let a worker forget deleted jobs."""

    async def on_job_deleted(event: JobDeleted) -> None:
        """Forget a job. Safe to redeliver: there is nothing left the second time."""
        await checkpoints.forget(event.job_id)

    subscribe(parts.broker, REMOVALS[stage], on_job_deleted, prefetch=PREFETCH)
