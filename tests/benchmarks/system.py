"""The product, started for a measurement in a temporary state folder that is gone afterwards."""

import asyncio
import contextlib
import os
import signal
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from deploy.local.home import Home, SystemState
from deploy.local.services import SERVICES, ServiceProgram
from deploy.local.supervisor import Options, Supervisor
from shared.events import (
    HandoutRendered,
    JobSubmitted,
    Parameters,
    SourceAnalysed,
    SourceIngested,
    SourceTranscribed,
    SubmittedSource,
    new_job_id,
)
from shared.messaging.topology import DEAD_LETTERS_EXCHANGE, EVENTS_EXCHANGE
from shared.storage.local import LocalObjectStore
from tests.benchmarks.client import Client, Route, Run
from tests.benchmarks.figures import Figure
from tests.benchmarks.happenings import Happenings

T = TypeVar("T")

ROUTE = Route(
    exchange=EVENTS_EXCHANGE.name,
    submit_key=JobSubmitted.routing_key,
    done_key=HandoutRendered.routing_key,
    failures=DEAD_LETTERS_EXCHANGE.name,
)
WATCHED_ROUTE = Route(
    exchange=ROUTE.exchange,
    submit_key=ROUTE.submit_key,
    done_key=ROUTE.done_key,
    failures=ROUTE.failures,
    between=(SourceIngested.routing_key, SourceTranscribed.routing_key, SourceAnalysed.routing_key),
)
STAGES = ("ingest", "transcription", "analysis", "rendering")


@dataclass(frozen=True)
class System:
    """A running product. `happenings` is what its supervisor told."""

    home: Path
    amqp_url: str
    happenings: Happenings = field(default_factory=Happenings)

    @property
    def store(self) -> LocalObjectStore:
        """Where sources are put."""
        return LocalObjectStore(self.home)

    def state(self) -> SystemState:
        """What the supervisor says of it."""
        state = Home(self.home).read_state()
        if state is None:
            raise RuntimeError("the system has ended")
        return state

    def signal(self, program: str, number: signal.Signals) -> bool:
        """Send a signal to a program by the supervisor's name of it; False while it is not ready."""
        if not self.happenings.works(program):
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.state().processes[program].pid, number)
            return True
        return False

    async def new_job(self, job_id: str | None = None) -> JobSubmitted:
        """A job as the gateway publishes it, once its upload, four bytes, is stored."""
        job_id = job_id or new_job_id()
        upload = await self.store.put_bytes(f"gateway/uploads/{job_id}/bench/source", b"RIFF", "audio/wav")
        source = SubmittedSource(key=upload.key, name="lecture.wav", size=upload.size)
        return JobSubmitted(job_id=job_id, source=source)

    def pids(self) -> dict[str, list[int]]:
        """The processes of each service; `transcription-2` is one of transcription's."""
        state = self.state()
        found: dict[str, list[int]] = {program.name: [] for program in SERVICES}
        for name, process in state.processes.items():
            service = name.partition("-")[0]
            if service in found:
                found[service].append(process.pid)
        return found


@dataclass(frozen=True)
class Measurement:
    """A measurement that can share the system of another, which saves a start.

    Only where they are made for a quick look, whose figures mean nothing. `services` and `environment` are what it
    needs beside what the other one does.
    """

    work: Callable[[System], Coroutine[Any, Any, list[Figure]]]
    services: tuple[ServiceProgram, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


async def _while_running(system: Supervisor, work: Coroutine[Any, Any, T]) -> T:
    """Do the work, unless the system ends or is asked to before."""
    working, ending = asyncio.create_task(work), asyncio.create_task(system.wait())
    try:
        await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise KeyboardInterrupt
        return working.result()
    finally:
        working.cancel()
        ending.cancel()
        await asyncio.wait({working, ending})


@asynccontextmanager
async def _home() -> AsyncIterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lectern-bench-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


async def with_system(
    work: Callable[[System], Coroutine[Any, Any, T]],
    *,
    services: tuple[ServiceProgram, ...] = SERVICES,
    environment: Mapping[str, str] | None = None,
) -> T:
    """Start the product, return what `await work(system)` does, and end it all. Ctrl-C ends it early."""
    happenings = Happenings()
    options = Options(
        services=services,
        amqp_url=None,
        mongo_url=None,
        gateway_port=None,
        environment=dict(environment or {}),
        on_event=happenings.tell,
    )
    async with _home() as home, Supervisor(home, options) as supervisor:
        return await _while_running(supervisor, work(System(home, supervisor.amqp_url, happenings)))


async def with_both(
    work: Callable[[System], Coroutine[Any, Any, list[Figure]]],
    also: Measurement | None,
    *,
    services: tuple[ServiceProgram, ...] = SERVICES,
) -> list[Figure]:
    """The figures of `work`, and then those of `also` in the same system."""
    if also is None:
        return await with_system(work, services=services)

    async def both(system: System) -> list[Figure]:
        return [*await work(system), *await also.work(system)]

    return await with_system(both, services=(*services, *also.services), environment=also.environment)


async def run_file(system: System, client: Client, path: Path, parameters: Parameters, *, limit_s: float) -> Run:
    """Send the file at `path` through the system, from its submission event to its handout."""
    key = f"inbox/{uuid.uuid4().hex}{path.suffix}"
    await system.store.put_file(key, path, "application/octet-stream")
    event = JobSubmitted(
        job_id=str(uuid.uuid4()), parameters=parameters, source=SubmittedSource(key=key, name=path.name)
    )
    run = await client.submit(event.model_dump(mode="json"))
    await asyncio.wait_for(run.done, limit_s)
    return run


def stages(run: Run) -> str:
    """How the time of a run is divided, as a note."""
    keys = (*WATCHED_ROUTE.between, WATCHED_ROUTE.done_key)
    ends = [run.seen_s.get(key, 0.0) for key in keys]
    spans = [end - start for start, end in zip([0.0, *ends[:-1]], ends, strict=True)]
    return ", ".join(f"{stage} {span:.1f}" for stage, span in zip(STAGES, spans, strict=True))
