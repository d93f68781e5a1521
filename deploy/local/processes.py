"""Child processes that never outlive their launcher, and how they are ended."""

import asyncio
import atexit
import itertools
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from deploy.local import guard

POLL_S = 0.05
# Below the ranges that Linux and macOS hand out for outgoing connections: a client that keeps trying a dead port inside
# them can connect to itself and so take the port from the server that comes back.
PORTS = range(20_000, 32_000)
LOG_LIMIT_BYTES = 10 * 2**20
LOGS_KEPT = 3
GUARD = [sys.executable, "-I", "-S", str(Path(guard.__file__).resolve())]


class Guardian:
    """The launcher's end of the `guard.py watch` process; one for each launcher, started with its first child."""

    def __init__(self) -> None:
        self.mark = secrets.token_hex(12)
        self._numbers = itertools.count(1)
        self._process = subprocess.Popen(
            [*GUARD, "watch", self.mark],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            # Not the mark of a launcher that we may be a child of: it has work to do when both are killed.
            env={name: value for name, value in os.environ.items() if name != guard.MARK_VARIABLE},
        )
        atexit.register(self.close)

    @property
    def pid(self) -> int:
        """The guard's own process id."""
        return self._process.pid

    def next_mark(self) -> str:
        """A mark for one child; `;` ends it, so that child 1 is not taken for child 12."""
        return f"{self.mark}-{next(self._numbers)};"

    def tell(self, pid: int) -> None:
        """Put the group of `pid` under guard, or take it out when the number is negative."""
        stream = self._process.stdin
        if stream is not None and self._process.poll() is None:
            stream.write(f"{pid}\n".encode())
            stream.flush()

    def close(self) -> None:
        """End the guard, and with it whatever still runs: the launcher leaves."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


@cache
def guardian() -> Guardian:
    """This process's guardian."""
    return Guardian()


class Child:
    """A running program: leader of its own session, killed with everything below it when the launcher goes."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], mark: str) -> None:
        self.name = name
        self.pid = process.pid
        self.started_at = time.monotonic()
        self._process = process
        self._mark = mark
        self._cleaned = False

    @property
    def exit_status(self) -> int | None:
        """None while it runs; then its status, or minus the number of the signal that ended it."""
        status = self._process.poll()
        if status is not None and not self._cleaned:
            self._cleaned = True
            guard.kill_group(self.pid)  # what it left behind has nobody to work for
            guard.kill_marked(self._mark)
            guardian().tell(-self.pid)
        return status

    @property
    def running(self) -> bool:
        """Whether the program itself has not ended."""
        return self.exit_status is None

    def terminate(self) -> None:
        """Ask it to end; it ends its own children."""
        if self.running:
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and everything below it, now."""
        if self.running:
            guard.kill_group(self.pid)
            self._process.wait()
        _ = self.exit_status  # cleans up below it

    async def wait(self) -> int:
        """Its exit status, once it has ended by itself or otherwise."""
        while (status := self.exit_status) is None:  # noqa: ASYNC110 - the kernel tells nobody but who asks
            await asyncio.sleep(POLL_S)
        return status


def spawn(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Child:
    """Start `command` with its output appended to `log`. From the main thread only, whose death the kernel watches.

    `environment` is the whole environment, the launcher's own by default.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("Children are started from the main thread: Linux ties their life to the thread.")
    mark = guardian().next_mark()
    rotate(log)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*GUARD, "exec", str(os.getpid()), *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**(os.environ if environment is None else environment), guard.MARK_VARIABLE: mark},
            start_new_session=True,
        )
    guardian().tell(process.pid)
    return Child(name, process, mark)


async def terminate_all(children: Iterable[Child], *, timeout_s: float) -> list[str]:
    """End all children side by side: ask, wait `timeout_s` at most, then kill. Returns the names of those killed."""
    running = [child for child in children if child.running]
    for child in running:
        child.terminate()
    deadline = time.monotonic() + timeout_s
    while any(child.running for child in running) and time.monotonic() < deadline:  # noqa: ASYNC110 - as above
        await asyncio.sleep(POLL_S)
    killed = [child for child in running if child.running]
    for child in killed:
        child.kill()
    return [child.name for child in killed]


def rotate(log: Path) -> None:
    """Make room for a new start: a log above LOG_LIMIT_BYTES becomes `.1`, that `.2`, and the oldest goes."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if not log.exists() or log.stat().st_size < LOG_LIMIT_BYTES:
        return
    for number in range(LOGS_KEPT - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.rename(log.with_name(f"{log.name}.{number + 1}"))
    log.rename(log.with_name(f"{log.name}.1"))


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # else a closed connection's wait counts as taken
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Different loopback ports that nothing listens on."""
    candidates = random.sample(PORTS, len(PORTS))
    found = list(itertools.islice(filter(is_free, candidates), count))
    if len(found) < count:
        raise RuntimeError("No free loopback ports are left on this machine.")
    return found


def listens(port: int) -> bool:
    """Whether something answers on this loopback port; costs nothing when nothing does."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
