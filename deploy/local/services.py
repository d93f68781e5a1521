"""The five services as programs of this machine."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from deploy.local.processes import Child, spawn

PROJECT = Path(__file__).resolve().parents[2]
ANSWER_TIMEOUT_S = 5.0


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


class Service:
    """One service of a running system; a `Program`."""

    def __init__(self, program: ServiceProgram, *, log: Path, port: int, environment: Mapping[str, str]) -> None:
        self.name = program.name
        self.front = program.front
        self.log = log
        self.port = port
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
        return await self._answers("ready")

    async def is_live(self) -> bool:
        """Whether it answers at all."""
        return await self._answers("live")

    def has_room(self) -> bool:
        """It keeps no data of its own."""
        return True

    def failure(self) -> str:
        """What to do when the service does not start."""
        return f"The service {self.name} does not start: read the end of {self.log}."

    async def _answers(self, probe: str) -> bool:
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return await status_of(self.port, f"/health/{probe}") == HTTPStatus.OK
        except (OSError, TimeoutError, EOFError, ValueError):
            return False


async def status_of(port: int, path: str) -> int:
    """The status that a GET on this loopback port answers with; an HTTP client would cost more than the question.

    Raises OSError when nobody listens, EOFError or ValueError when it is not HTTP that they speak.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        version, status, *_ = (await reader.readuntil(b"\n")).split()
        if not version.startswith(b"HTTP/"):
            raise ValueError(f"not HTTP: {version!r}")
        return int(status)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
