"""The servers that the services depend on, and how they are killed, stopped and started again."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from deploy.local.database import EmbeddedDatabase
from deploy.local.processes import Child, terminate_all
from deploy.local.programs import Program, became_ready
from deploy.local.rabbitmq import RabbitNode

READY_LIMIT_S = 90.0
STOP_LIMIT_S = 20.0
SILENCES_ALLOWED = 5
SILENCE_S = 1.0


class ServerLostError(Exception):
    """A server does not come back: nothing can be said about the product then."""


@dataclass
class Server:
    """A server of the run. One fault at a time happens to it: `turn` is held while it is down."""

    program: Program
    works: Callable[[], Awaitable[bool]] | None = None  # whether it does its work; where not given, the program says
    child: Child | None = None
    starts: int = 0
    down_s: float = 0.0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def name(self) -> str:
        """Its name."""
        return self.program.name

    async def start(self) -> None:
        """Start it and wait until it works. Raises ServerLostError."""
        began = time.monotonic()
        for _ in range(3):
            self.child = self.program.spawn()
            self.starts += 1
            if await became_ready(self.program.is_ready, self.child, timeout_s=READY_LIMIT_S):
                self.down_s += time.monotonic() - began
                return
            self.child.kill()
        raise ServerLostError(self.program.failure())

    async def kill(self) -> None:
        """SIGKILL, and up again."""
        async with self.turn:
            self.kill_now()
            await self.start()

    def kill_now(self) -> None:
        """SIGKILL this moment. Call it with the turn taken, and `start` afterwards."""
        if self.child is not None:
            self.child.kill()

    async def restart(self) -> None:
        """An orderly end, and up again."""
        async with self.turn:
            if self.child is not None:
                await terminate_all([self.child], timeout_s=STOP_LIMIT_S)
            await self.start()

    async def stop_for(self, seconds: float) -> None:
        """SIGSTOP, and SIGCONT later."""
        async with self.turn:
            if self.child is None:
                return
            os.killpg(self.child.pid, signal.SIGSTOP)
            try:
                await asyncio.sleep(seconds)
            finally:
                os.killpg(self.child.pid, signal.SIGCONT)

    async def revive(self) -> None:
        """Start it anew where it ended, or answers and does no work any more: what a supervisor does.

        Call it with the turn taken. Raises ServerLostError.
        """
        for _ in range(SILENCES_ALLOWED):
            if self.child is None or not self.child.running:
                break
            if await self._is_live():
                return
            await asyncio.sleep(SILENCE_S)
        self.kill_now()
        await self.start()

    async def _is_live(self) -> bool:
        program = self.program
        if self.works is not None:
            return await self.works()
        return await (program.is_live() if isinstance(program, RabbitNode | EmbeddedDatabase) else program.is_ready())

    async def close(self) -> None:
        """End it."""
        if self.child is not None:
            await terminate_all([self.child], timeout_s=5.0)
