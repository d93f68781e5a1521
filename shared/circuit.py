"""Circuit breakers: a dependency that is away costs one probe at a time, not every worker's time (ANA-13)."""

import asyncio
import contextlib
import contextvars
import time
from collections.abc import Awaitable, Callable, Mapping

import structlog

from shared.errors import LecternError, ScratchError

log = structlog.get_logger()

FIRST_PAUSE_S, LAST_PAUSE_S = 0.25, 3.0


class Circuit:
    """One dependency. Closed while it answers; open from a failed probe until one succeeds.

    `probe` raises a LecternError while the dependency is away.
    """

    def __init__(self, name: str, probe: Callable[[], Awaitable[None]]) -> None:
        self.name = name
        self._probe = probe
        self._turn = asyncio.Lock()
        self._asked_s = 0.0
        self._closed = asyncio.Event()
        self._closed.set()
        self._probing: asyncio.Task[None] | None = None
        self._error: LecternError | None = None

    @property
    def is_open(self) -> bool:
        """Whether the dependency is known to be away."""
        return not self._closed.is_set()

    async def is_away(self) -> bool:
        """After a failure: whether the dependency is away. Of many that ask at once, one probes."""
        failed_s = time.monotonic()
        async with self._turn:
            if not self.is_open and self._asked_s < failed_s:
                await self._ask()
        return self.is_open

    async def _ask(self) -> None:
        try:
            await self._probe()
        except LecternError as error:
            self._error = error
            self._closed.clear()
            log.warning("dependency is away", dependency=self.name, error=str(error)[:300])
            # It outlives the message whose failure began it, and says nothing about that message's job.
            self._probing = asyncio.create_task(self._until_back(), context=contextvars.Context())
        self._asked_s = time.monotonic()

    async def _until_back(self) -> None:
        since_s, pause_s = time.monotonic(), FIRST_PAUSE_S
        while True:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LAST_PAUSE_S)
            try:
                await self._probe()
            except LecternError as error:
                self._error = error
                continue
            log.info("dependency is back", dependency=self.name, away_s=round(time.monotonic() - since_s, 1))
            self._closed.set()
            return

    async def wait(self, timeout_s: float) -> None:
        """Return once it is closed; after `timeout_s` seconds raise what the last probe raised."""
        if not self.is_open:
            return
        try:
            async with asyncio.timeout(timeout_s):
                await self._closed.wait()
        except TimeoutError:
            if self._error is not None:
                raise self._error from None

    async def stop(self) -> None:
        """End the probing."""
        if self._probing is not None:
            self._probing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._probing


class Circuits:
    """The circuits of a service by the names of their dependencies, which errors carry (`LecternError.dependency`)."""

    def __init__(self, probes: Mapping[str, Callable[[], Awaitable[None]]]) -> None:
        self._circuits = {name: Circuit(name, probe) for name, probe in probes.items()}

    async def is_away(self, error: Exception) -> bool:
        """Whether `error` comes from a dependency that is away.

        One that names none may come from the disk of temporary files: engines then fail in their own words.
        """
        name = (error.dependency if isinstance(error, LecternError) else None) or ScratchError.dependency
        circuit = self._circuits.get(name) if name else None
        return circuit is not None and await circuit.is_away()

    async def wait(self, timeout_s: float) -> None:
        """Return once all are closed; raises as `Circuit.wait` does."""
        for circuit in self._circuits.values():
            await circuit.wait(timeout_s)

    async def stop(self) -> None:
        """End all probing."""
        for circuit in self._circuits.values():
            await circuit.stop()
