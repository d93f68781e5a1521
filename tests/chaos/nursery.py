"""The processes of the services: started through the fork server, started again when they die, ended together."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.processes import Child, spawn
from deploy.local.services import PROJECT

START_LIMIT_S = 60.0
RESTART_PAUSE_S = (0.1, 0.6)


@dataclass
class Unit:
    """One process of a service, from one life to the next. `label` is its name with the replica's number.

    `statuses` are those that its processes ended with, `ended_at` the times, in seconds since the epoch.
    """

    label: str
    service: str
    port: int
    environment: dict[str, str]
    log: Path
    pid: int | None = None
    starts: int = 0
    statuses: list[int] = field(default_factory=list)
    ended_at: list[float] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def signal(self, number: signal.Signals) -> bool:
        """Send a signal to it and to everything it started; whether there was somebody to send it to."""
        if self.pid is None:
            return False
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return False
        return True

    def peak_mb(self) -> int:
        """The most memory that its present process ever had, in megabytes; 0 where there is none."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return 0
        return int(status.partition("VmHWM:")[2].split()[0]) // 1000


class Nursery:
    """Keeps units running until told otherwise."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket_folder = tempfile.TemporaryDirectory(prefix="chaos-")  # socket paths are short
        self._server: asyncio.AbstractServer | None = None
        self._child: Child | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._started: asyncio.Queue[int] = asyncio.Queue()
        self._ready = asyncio.Event()
        self._turn = asyncio.Lock()
        self._by_pid: dict[int, Unit] = {}
        self._early_ends: dict[int, int] = {}
        self._restarts: set[asyncio.Task[None]] = set()
        self.units: list[Unit] = []
        self.keeps = True
        self.died_at: dict[int, float] = {}  # by process id, seconds since the epoch

    async def open(self) -> None:
        """Start the fork server, which imports every service."""
        path = Path(self._socket_folder.name) / "fork"
        self._server = await asyncio.start_unix_server(self._listen, path)
        environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
        command = [sys.executable, "-P", "-m", "tests.chaos.forkserver", str(path)]
        self._child = spawn("forkserver", command, log=self._folder / "forkserver.log", environment=environment)
        async with asyncio.timeout(START_LIMIT_S):
            await self._ready.wait()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                self._heard(json.loads(line))

    def _heard(self, told: dict[str, int]) -> None:
        if "ready" in told:
            self._ready.set()
        elif "started" in told:
            self._started.put_nowait(told["started"])
        elif unit := self._by_pid.pop(told["ended"], None):
            self._over(unit, told["status"])
        else:
            self._early_ends[told["ended"]] = told["status"]

    def _over(self, unit: Unit, status: int) -> None:
        if unit.pid is not None:
            self.died_at[unit.pid] = time.time()
        unit.pid = None
        unit.statuses.append(status)
        unit.ended_at.append(time.time())
        unit.ended.set()
        if self.keeps:
            task = asyncio.create_task(self._again(unit))
            self._restarts.add(task)
            task.add_done_callback(self._restarts.discard)

    async def _again(self, unit: Unit) -> None:
        low, high = RESTART_PAUSE_S
        await asyncio.sleep(low + (high - low) * (unit.starts % 4) / 3)
        if self.keeps:
            await self.start(unit)

    async def start(self, unit: Unit) -> None:
        """Give a unit a process."""
        assert self._writer is not None
        async with self._turn:
            request = {"service": unit.service, "environment": unit.environment, "log": str(unit.log)}
            self._writer.write(json.dumps(request).encode() + b"\n")
            pid = await self._started.get()
        unit.pid, unit.starts = pid, unit.starts + 1
        unit.ended.clear()
        if unit not in self.units:
            self.units.append(unit)
        if pid in self._early_ends:
            self._over(unit, self._early_ends.pop(pid))
        else:
            self._by_pid[pid] = unit

    async def stop_all(self, *, within_s: float) -> list[str]:
        """Ask all to end; the labels of those that had to be killed."""
        self.keeps = False
        for task in list(self._restarts):
            task.cancel()
        running = [unit for unit in self.units if unit.pid is not None]
        for unit in running:
            unit.signal(signal.SIGCONT)
            os.kill(unit.pid or 0, signal.SIGTERM)
        deadline = time.monotonic() + within_s
        late = []
        for unit in running:
            try:
                async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                    await unit.ended.wait()
            except TimeoutError:
                late.append(unit.label)
                unit.signal(signal.SIGKILL)
        return late

    async def start_all(self) -> None:
        """Start every unit that has no process, and keep them running."""
        self.keeps = True
        for unit in self.units:
            if unit.pid is None:
                await self.start(unit)

    async def close(self) -> None:
        """End everything at once."""
        self.keeps = False
        for unit in self.units:
            unit.signal(signal.SIGKILL)
        if self._writer is not None:
            self._writer.close()
        if self._server is not None:
            self._server.close()
        if self._child is not None:
            self._child.kill()
        self._socket_folder.cleanup()
