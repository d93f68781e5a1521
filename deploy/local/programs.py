"""What every supervised program has in common, and how one is started on its own."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

from deploy.local.errors import LocalSystemError
from deploy.local.processes import Child

PROBE_S = 0.1


class Program(Protocol):
    """A program that can be started any number of times, one run after the other, on the same ports and data."""

    name: str
    log: Path
    port: int

    def spawn(self) -> Child:
        """Start it and return at once."""

    async def is_ready(self) -> bool:
        """Whether it does its work; False, never an error, while it does not."""

    def failure(self) -> str:
        """One sentence on what to do when it does not start; names the log."""


@runtime_checkable
class Server(Program, Protocol):
    """A program that can hang while its process lives."""

    async def is_live(self) -> bool:
        """Whether it still works; False, never an error, while it does not."""

    def has_room(self) -> bool:
        """Whether its disk has the room that a start takes. Without, starting it again helps nobody."""


@runtime_checkable
class Dependent(Program, Protocol):
    """A program that waits by itself for servers that it depends on."""

    @property
    def missing(self) -> tuple[str, ...]:
        """What it lacked when it was last asked whether it is ready; nothing where that is its own fault."""


def _never() -> bool:
    return False


async def became_ready(
    is_ready: Callable[[], Awaitable[bool]],
    child: Child,
    *,
    timeout_s: float,
    waits: Callable[[], bool] = _never,
) -> bool:
    """Wait until `is_ready` says so; False when it ended or when the time is over, which stands still while it waits.

    `waits`, asked after `is_ready`, says whether it is others that the program waits for.
    """
    deadline = time.monotonic() + timeout_s
    while child.running and time.monotonic() < deadline:
        if await is_ready():
            return True
        if waits():
            deadline = time.monotonic() + timeout_s
        await asyncio.sleep(PROBE_S)
    return False


async def start(program: Program, *, timeout_s: float = 60.0) -> Child:
    """Start a program by itself and wait until it is ready; raises LocalSystemError when it does not get there."""
    child = program.spawn()
    ready = False
    try:
        ready = await became_ready(program.is_ready, child, timeout_s=timeout_s)
    finally:
        if not ready:
            child.kill()
    if not ready:
        raise LocalSystemError(program.failure(), log=program.log)
    return child
