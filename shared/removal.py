"""How a worker takes part in the deletion and in the cancellation of a job."""

from shared.checkpoints import Checkpoints
from shared.events import JobCancelled, JobDeleted, Stage
from shared.messaging.broker import subscribe
from shared.messaging.topology import CANCELLATIONS, REMOVALS
from shared.service import Parts

PREFETCH = 4


def subscribe_removal(parts: Parts, checkpoints: Checkpoints, stage: Stage) -> None:
    """Let a worker forget deleted jobs, and drop the messages of cancelled runs."""

    async def on_job_deleted(event: JobDeleted) -> None:
        """Forget a job. Safe to redeliver: there is nothing left the second time."""
        await checkpoints.forget(event.job_id)

    async def on_job_cancelled(event: JobCancelled) -> None:
        """Stop a run of a job. Safe to redeliver: it stays cancelled."""
        await checkpoints.cancel(event)

    subscribe(parts.broker, CANCELLATIONS[stage], on_job_cancelled, prefetch=PREFETCH)
    subscribe(parts.broker, REMOVALS[stage], on_job_deleted, prefetch=PREFETCH)
