"""The two that are compared under kills: how their programs are started, jobs are sent, and ends are seen."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from kombu.exceptions import OperationalError

from deploy.local.services import SERVICES, ServiceProgram
from shared.messaging.topology import WORK_QUEUES, retry_name, tiers_s
from shared.settings import SharedSettings
from tests.benchmarks import celery_stages
from tests.benchmarks.ledger import Ledger
from tests.benchmarks.reckoning import Seen
from tests.benchmarks.system import ROUTE, STAGES, System
from tests.benchmarks.visitor import visiting


class Side(Protocol):
    """One of the two that are compared, while it runs."""

    async def submit(self, job_id: str) -> None:
        """Return when the broker has confirmed the job."""

    def seen(self) -> Seen:
        """What became of the jobs so far."""


@dataclass(frozen=True)
class Contender:
    """How one side is started: its programs, its queues, and the side itself on a running system."""

    services: tuple[ServiceProgram, ...]
    queues: tuple[str, ...]
    open: Callable[[System, Ledger], AbstractAsyncContextManager[Side]]


def _worker(module: str, stage: str, variable: str) -> ServiceProgram:
    return ServiceProgram(stage, (sys.executable, "-P", "-m", f"tests.benchmarks.{module}", stage), variable)


@asynccontextmanager
async def _lectern(system: System, _ledger: Ledger) -> AsyncIterator[Side]:
    async with visiting(system.amqp_url, ROUTE) as visitor:

        class Lectern:
            async def submit(self, job_id: str) -> None:
                await visitor.submit(await system.new_job(job_id))

            def seen(self) -> Seen:
                told = Counter(heard.job_id for heard in visitor.heard if heard.key == ROUTE.done_key)
                return Seen(told, {heard.job_id for heard in visitor.heard if heard.failure})

        yield Lectern()


@asynccontextmanager
async def _celery(system: System, ledger: Ledger) -> AsyncIterator[Side]:
    app = celery_stages.create_app(system.amqp_url, system.state().mongo_url)
    broken = (*app.connection().connection_errors, *app.connection().channel_errors, OperationalError)

    class OnCelery:
        async def submit(self, job_id: str) -> None:
            await asyncio.to_thread(self._submit, job_id)

        def _submit(self, job_id: str) -> None:
            # Its own retries give up in time; a client that must not lose its job does not.
            while True:
                try:
                    celery_stages.job_chain(app, job_id).apply_async()
                except broken:
                    time.sleep(0.2)
                else:
                    return

        def seen(self) -> Seen:
            found = Seen()
            for entry, count in ledger.counts().items():
                if entry.stage == celery_stages.PUBLISHED:
                    found.published[entry.job_id] += count
                elif entry.stage == celery_stages.FAILED:
                    found.failed.add(entry.job_id)
            return found

    try:
        yield OnCelery()
    finally:
        await asyncio.to_thread(app.close)


def _lectern_queues() -> tuple[str, ...]:
    delays = SharedSettings.model_fields["retry_delays_s"].default
    waiting = [retry_name(tier_s) for delay_s in delays for tier_s in tiers_s(delay_s)]
    return tuple([queue.name for queue in WORK_QUEUES if not queue.name.startswith("gateway")] + waiting)


LECTERN = Contender(
    tuple(
        program if program.front else _worker("ledger_service", program.name, program.port_variable)
        for program in SERVICES
    ),
    _lectern_queues(),
    _lectern,
)
CELERY = Contender(
    tuple(_worker("celery_stages", stage, celery_stages.PORT_VARIABLE) for stage in STAGES),
    celery_stages.STAGES,
    _celery,
)
