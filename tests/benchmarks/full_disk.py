"""How soon work goes on after the one disk of a whole system was full for ten seconds, and that nothing was lost.

Broker, embedded database, storage, temporary files and logs share a small file system. Jobs whose engines do nothing
are submitted all the time, by upload and by event; what is refused is not tried again, and what was accepted has to
end as `done`. Nobody starts anything again but the product's own supervisor.
"""

import asyncio
import contextlib
import itertools
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import httpx

from deploy.local.home import Home
from deploy.local.keeper import Happening
from deploy.local.services import status_of
from deploy.local.supervisor import Options, Supervisor
from services.cli.connection import kept_key
from shared.errors import StorageError
from tests.benchmarks.figures import Figure, median
from tests.benchmarks.happenings import Happenings, deaths_far_apart
from tests.benchmarks.overhead import noop_services
from tests.benchmarks.small_disk import NoSmallDiskError, fill, small_disk
from tests.benchmarks.system import ROUTE, System
from tests.benchmarks.visitor import Visitor, visiting

SIZE_MB = 500
FULL_S = 10.0
PAUSE_S = 0.2  # between two submissions
LOOK_EVERY_S = 0.1
CONFIRM_LIMIT_S = 3.0
SETTLED_JOBS = 5
TRIALS, QUICK_TRIALS = 3, 1
LIMIT_S = 120.0
_REFUSED = (httpx.HTTPError, StorageError, OSError, TimeoutError)


class LostJobError(Exception):
    """A job that was accepted is not known any more, or ended otherwise than done."""


@dataclass
class Jobs:
    """What one client submitted. `accepted` are the ids of jobs that the system said it has, `done` those that ended.

    `refused` counts the submissions that it did not take.
    """

    system: System
    http: httpx.AsyncClient
    visitor: Visitor
    accepted: list[str] = field(default_factory=list)
    done: set[str] = field(default_factory=set)
    refused: int = 0

    async def submit(self) -> None:
        """Submit until cancelled, by upload and by event in turn."""
        for by in itertools.cycle((self._by_upload, self._by_event)):
            try:
                self.accepted.append(await by())
            except _REFUSED:
                self.refused += 1
            await asyncio.sleep(PAUSE_S)

    async def _by_upload(self) -> str:
        answer = await self.http.post("/v1/jobs", files={"file": ("talk.wav", b"RIFF")})
        answer.raise_for_status()
        return str(answer.json()["job_id"])

    async def _by_event(self) -> str:
        job = await self.system.new_job()
        async with asyncio.timeout(CONFIRM_LIMIT_S):
            await self.visitor.submit(job)
        return job.job_id

    async def look(self) -> None:
        """Ask about all that have not ended. Raises LostJobError."""
        for job_id in [job_id for job_id in self.accepted if job_id not in self.done]:
            status = await self._status(job_id)
            if status in {"failed", "partial", "cancelled"}:
                raise LostJobError(f"job {job_id} is {status}")
            if status == "done":
                self.done.add(job_id)

    async def _status(self, job_id: str) -> str:
        """The job's, or nothing while the gateway cannot say."""
        with contextlib.suppress(httpx.HTTPError):
            answer = await self.http.get(f"/v1/jobs/{job_id}")
            return str(answer.json()["status"]) if answer.status_code == HTTPStatus.OK else ""
        return ""

    async def until_done(self, count: int) -> None:
        """Return when `count` of them are done. Raises LostJobError, and TimeoutError after LIMIT_S."""
        try:
            async with asyncio.timeout(LIMIT_S):
                while len(self.done) < count:
                    await asyncio.sleep(LOOK_EVERY_S)
                    await self.look()
        except TimeoutError:
            left = [job_id for job_id in self.accepted if job_id not in self.done]
            raise TimeoutError(f"{len(left)} accepted jobs did not end within {LIMIT_S:g} s: {left[:3]}") from None


@dataclass(frozen=True)
class Recovery:
    """Seconds from the end of a full disk to the next finished job, to the end of all accepted ones, and to readiness.

    `in_flight` is how many jobs had been accepted and were not done when there was room again.
    """

    working_s: float
    all_done_s: float
    ready_s: float
    in_flight: int


@dataclass(frozen=True)
class FullDisk:
    """A whole system that shares one small disk."""

    disk: Path
    system: System
    jobs: Jobs

    async def strike(self, *, killed: tuple[str, ...] = ()) -> Recovery:
        """Fill the disk while jobs run, keep it full, free it, and watch. Raises LostJobError and TimeoutError.

        The programs named in `killed` are killed meanwhile.
        """
        submitting = asyncio.create_task(self.jobs.submit())
        try:
            await self.jobs.until_done(len(self.jobs.done) + SETTLED_JOBS)
            await self._keep_full(killed)
            await self.jobs.look()
            before = len(self.jobs.done)
            in_flight = len(self.jobs.accepted) - before
            (self.disk / "ballast").unlink()
            freed_s = time.perf_counter()
            await self.jobs.until_done(before + 1)
            working_s = time.perf_counter() - freed_s
        finally:
            submitting.cancel()
            await asyncio.wait([submitting])
        await self.jobs.until_done(len(self.jobs.accepted))
        all_done_s = time.perf_counter() - freed_s
        await self._all_ready()
        return Recovery(working_s, all_done_s, time.perf_counter() - freed_s, in_flight)

    async def _keep_full(self, killed: tuple[str, ...]) -> None:
        """What is freed meanwhile, a temporary file or a log that is turned over, is filled again."""
        until_s = time.perf_counter() + FULL_S
        await asyncio.to_thread(fill, self.disk / "ballast")
        for program in killed:
            self.system.signal(program, signal.SIGKILL)
        while time.perf_counter() < until_s:
            await asyncio.to_thread(fill, self.disk / "ballast")
            await asyncio.sleep(0.2)

    async def _all_ready(self) -> None:
        async with asyncio.timeout(LIMIT_S):
            for name in [program.name for program in noop_services()]:
                while not await self._is_ready(name):
                    await asyncio.sleep(LOOK_EVERY_S)

    async def _is_ready(self, name: str) -> bool:
        state = Home(self.system.home).read_state()
        if state is None or name not in state.processes:
            return False
        with contextlib.suppress(OSError, EOFError, ValueError):
            return await status_of(state.processes[name].port, "/health/ready") == HTTPStatus.OK
        return False


@asynccontextmanager
async def full_disk(folder: Path) -> AsyncIterator[FullDisk]:
    """A system on a small disk that is mounted in `folder`, ready. Raises NoSmallDiskError."""
    happenings = Happenings()
    options = Options(
        services=noop_services(), amqp_url=None, mongo_url=None, gateway_port=None, on_event=happenings.tell
    )
    with small_disk(folder / "disk", size_mb=SIZE_MB) as disk:
        async with Supervisor(disk / "home", options) as supervisor:
            system = System(disk / "home", supervisor.amqp_url, happenings)
            headers = {"Authorization": f"Bearer {kept_key(system.home)}"}
            async with (
                httpx.AsyncClient(base_url=supervisor.gateway_url or "", headers=headers, timeout=15) as http,
                visiting(system.amqp_url, ROUTE) as visitor,
            ):
                yield FullDisk(disk, system, Jobs(system, http, visitor))


async def measure(*, quick: bool) -> list[Figure]:
    """The median of three times. Raises LostJobError and TimeoutError."""
    with tempfile.TemporaryDirectory(prefix="lectern-bench-") as folder, deaths_far_apart():
        try:
            async with full_disk(Path(folder)) as it:
                seen = [await it.strike() for _ in range(QUICK_TRIALS if quick else TRIALS)]
                restarts = it.system.happenings.count(Happening.HUNG)
        except NoSmallDiskError as error:
            print(f"full disk: skipped, {error}")
            return []
    note = f"a disk full for {FULL_S:g} s has room again, to the next finished job; {len(seen)} times"
    return [
        Figure("full_disk_recovery_s", median([recovery.working_s for recovery in seen]), note=note),
        Figure("full_disk_recovery_worst_s", max(recovery.working_s for recovery in seen)),
        Figure(
            "full_disk_all_done_s",
            median([recovery.all_done_s for recovery in seen]),
            note=f"to the last of the jobs that were accepted; servers started again: {restarts}",
        ),
    ]
