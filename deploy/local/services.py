"""The five services as programs of this machine."""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from deploy.local.processes import Child, spawn

PROJECT = Path(__file__).resolve().parents[2]
ANSWER_TIMEOUT_S = 5.0
DEPENDENCIES = ("broker", "database", "storage")
RECENT_S = 30.0  # three times the interval at which services are asked


@dataclass(frozen=True)
class ServiceProgram:
    """How one service is started. Its port is told to it in the variable `port_variable`.

    A worker ends what it has in hand before the `front` goes, which shows people what the workers do.
    """

    name: str
    command: tuple[str, ...]
    port_variable: str
    front: bool = False


def service(name: str, *, front: bool = False) -> ServiceProgram:
    """The service `services.<name>`. `-P` keeps the folder that somebody happens to stand in out of its imports."""
    variable = f"{name.upper()}_PORT" if front else f"{name.upper()}_HEALTH_PORT"
    return ServiceProgram(name, (sys.executable, "-P", "-m", f"services.{name}"), variable, front)


SERVICES = (
    service("gateway", front=True),
    service("ingest"),
    service("transcription"),
    service("analysis"),
    service("rendering"),
)


@dataclass(frozen=True)
class Report:
    """What a service said of its parts, `ok` or otherwise, and when, by `time.monotonic`."""

    at_s: float
    parts: Mapping[str, str]

    def failing(self) -> frozenset[str]:
        """The dependencies that do not work for it."""
        return frozenset(name for name in DEPENDENCIES if self.parts.get(name, "ok") != "ok")


class Service:
    """One service of a running system; a `Program`, a `Server` and a `Dependent`.

    `peers` are the services that depend on the same servers.
    """

    def __init__(self, program: ServiceProgram, *, log: Path, port: int, environment: Mapping[str, str]) -> None:
        self.name = program.name
        self.front = program.front
        self.log = log
        self.port = port
        self.peers: Sequence[Service] = ()
        self.report: Report | None = None
        self._command = program.command
        search = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH", "")]))
        self._environment = {**os.environ, "PYTHONPATH": search, **environment, program.port_variable: str(port)}

    @property
    def url(self) -> str:
        """The service's address on this machine."""
        return f"http://127.0.0.1:{self.port}"

    def spawn(self) -> Child:
        """Start the service."""
        return spawn(self.name, self._command, log=self.log, environment=self._environment)

    async def is_ready(self) -> bool:
        """Whether it and all that it needs work."""
        status, body = await self._answer("ready")
        self.report = _report(body)
        return status == HTTPStatus.OK

    @property
    def missing(self) -> tuple[str, ...]:
        """The dependencies that did not work for it when it was last asked whether it is ready."""
        return tuple(sorted(self.report.failing())) if self.report is not None else ()

    async def is_live(self) -> bool:
        """Whether it answers, and does not alone lack what its peers have.

        A service waits for a server that is away. One that finds no way to a server that works for all others does not
        get there by waiting.
        """
        status, _ = await self._answer("live")
        if status != HTTPStatus.OK:
            return False
        await self.is_ready()
        return not any(self._lacks_alone(name) for name in self.missing)

    def _lacks_alone(self, dependency: str) -> bool:
        since_s = time.monotonic() - RECENT_S
        recent = [peer.report for peer in self.peers if peer.report is not None and peer.report.at_s > since_s]
        return bool(recent) and not any(dependency in report.failing() for report in recent)

    def has_room(self) -> bool:
        """It keeps no data of its own."""
        return True

    def failure(self) -> str:
        """What to do when the service does not start."""
        return f"The service {self.name} does not start: read the end of {self.log}."

    async def _answer(self, probe: str) -> tuple[int, bytes]:
        """Status and body; 0 when there is no answer."""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return await answer_of(self.port, f"/health/{probe}")
        except (OSError, TimeoutError, EOFError, ValueError):
            return 0, b""


def _report(body: bytes) -> Report | None:
    """What a service said, if that was a report."""
    try:
        parts = json.loads(body)["parts"]
        return Report(time.monotonic(), {str(name): str(state) for name, state in parts.items()})
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


async def status_of(port: int, path: str) -> int:
    """The status alone. Raises as `answer_of` does."""
    status, _ = await answer_of(port, path)
    return status


async def answer_of(port: int, path: str) -> tuple[int, bytes]:
    """Status and body of a GET on this loopback port; an HTTP client would cost more than the question.

    Raises OSError when nobody listens, EOFError or ValueError when it is not HTTP that they speak.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        version, status, *_ = (await reader.readuntil(b"\n")).split()
        if not version.startswith(b"HTTP/"):
            raise ValueError(f"not HTTP: {version!r}")
        _, _, body = (b"\r\n" + await reader.read()).partition(b"\r\n\r\n")
        return int(status), body
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
