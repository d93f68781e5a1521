"""A worker of one stage whose work is nothing, with checkpoints and without: `python -m tests.benchmarks.hop_service`.

Two queues on one connection, and handlers that differ in one call. Both publish the event of a finished unit, as every
handler of the product does.
"""

import os

from shared.checkpoints import Checkpoints
from shared.events import JobSubmitted, UnitFinished
from shared.messaging.broker import subscribe
from shared.messaging.publish import Publish, message_id
from shared.messaging.topology import EVENTS_EXCHANGE, WorkQueue, rabbit_queue
from shared.service import Parts, run_worker
from shared.settings import SharedSettings, load

PORT_VARIABLE = "HOP_HEALTH_PORT"
PLAIN = WorkQueue("bench.plain", ("bench.plain.v1",))
CHECKPOINTED = WorkQueue("bench.checkpointed", ("bench.checkpointed.v1",))
UNIT = "hop-1"


class Handlers:
    """The two handlers."""

    def __init__(self, checkpoints: Checkpoints, publish: Publish) -> None:
        self._checkpoints = checkpoints
        self._publish = publish

    async def on_plain(self, job: JobSubmitted) -> None:
        """Without a checkpoint: what a handler that may do its work twice costs."""
        finished = _finished(job)
        await self._publish(finished, message_id=message_id(finished, UNIT))

    async def on_checkpointed(self, job: JobSubmitted) -> None:
        """With one: the look, the nothing, the write."""

        async def compute() -> UnitFinished:
            return _finished(job)

        finished = await self._checkpoints.run(job, UNIT, compute, UnitFinished)
        await self._publish(finished, message_id=message_id(finished, UNIT))


def _finished(job: JobSubmitted) -> UnitFinished:
    return UnitFinished(**job.job(), stage="analysis", unit=UNIT, units=1)


async def build(parts: Parts) -> None:
    """Wire the service; its queues are no part of the product's topology."""
    handlers = Handlers(Checkpoints(parts.database, parts.store, "analysis"), parts.publish)
    for queue, handler in ((PLAIN, handlers.on_plain), (CHECKPOINTED, handlers.on_checkpointed)):
        declared = await parts.broker.declare_queue(rabbit_queue(queue))
        for key in queue.keys:
            await declared.bind(EVENTS_EXCHANGE.name, key)
        subscribe(parts.broker, queue, handler, prefetch=4)


if __name__ == "__main__":
    run_worker("hop", load(SharedSettings), int(os.environ[PORT_VARIABLE]), build)
