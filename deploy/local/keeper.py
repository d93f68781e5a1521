"""Keeps one program running: started, watched, started again after a pause, and told about."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from deploy.local.backoff import Backoff
from deploy.local.processes import Child
from deploy.local.programs import Dependent, Program, Server, became_ready

# A service loads models before it is ready, on a machine that starts seven other programs at the same moment.
READY_LIMIT_S = 120.0
WAITING_TOLD_AFTER_S = 15.0
LIVE_EVERY_S = 10.0
# With the time that each question takes, a minute and a half of silence: no busy machine explains that.
SILENCES_ALLOWED = 6
# A server whose disk was full may have stopped for ever behind a port that answers: a start is all that helps then.
LOOK_EVERY_S = 1.0
SILENCES_ALLOWED_AFTER_FULL_DISK = 2


class Happening(StrEnum):
    """What can happen to a program."""

    STARTED = "started"
    READY = "ready"
    WAITING = "waiting"  # it waits for servers that it depends on, for longer than these take to start
    HUNG = "hung"  # it runs but has not answered for long, and is killed
    DIED = "died"  # it ended by itself or was killed, and will be started again
    HOPELESS = "hopeless"  # it failed to start several times in a row; trying goes on
    KILLED = "killed"  # it did not end in its time when the system stopped


@dataclass(frozen=True)
class Event:
    """One happening, with a sentence for people. `exit_status` is negative for a signal's number."""

    program: str
    happening: Happening
    message: str
    log: Path
    exit_status: int | None = None
    retry_in_s: float | None = None


class Keeper:
    """Runs `program` until cancelled; every happening goes to `tell`. A server that is no longer live is killed.

    `ready` is set at the first time it works, `hopeless` at the end of patience with its start.
    """

    def __init__(
        self,
        program: Program,
        tell: Callable[[Event], None],
        *,
        ready_limit_s: float = READY_LIMIT_S,
    ) -> None:
        self.program = program
        self.child: Child | None = None
        self.starts = 0
        self.ready = asyncio.Event()
        self.hopeless = asyncio.Event()
        self._tell = tell
        self._ready_limit_s = ready_limit_s
        self._told_waiting = False
        self._backoff = Backoff()

    async def run(self) -> None:
        """Keep it running until cancelled; the last child stays for the caller to end."""
        while True:
            try:
                child = self._start()
            except OSError as error:  # no room for its settings or its log, as a rule
                pause_s = self._backoff.after_death(None)
                self._report_no_start(error, pause_s)
            else:
                status, healthy_s = await self._one_life(child)
                pause_s = self._backoff.after_death(healthy_s)
                self._report_end(status, pause_s)
            await asyncio.sleep(pause_s)

    def _start(self) -> Child:
        child = self.child = self.program.spawn()
        self.starts += 1
        self._report(Happening.STARTED, f"{self.program.name} started (process {child.pid}).")
        return child

    async def _one_life(self, child: Child) -> tuple[int, float | None]:
        """Its exit status and for how long it had been healthy, None when it never was."""
        self._told_waiting = False
        if await became_ready(self.program.is_ready, child, timeout_s=self._ready_limit_s, waits=self._waits):
            healthy_since = time.monotonic()
            self.ready.set()
            self._report(Happening.READY, f"{self.program.name} is ready.")
            await self._until_dead_or_silent(child)
            return await child.wait(), time.monotonic() - healthy_since
        child.kill()  # alive, perhaps, but not in time
        return await child.wait(), None

    def _waits(self) -> bool:
        """Whether others keep it from being ready: no fault of its own, and told once."""
        missing = self.program.missing if isinstance(self.program, Dependent) else ()
        waiting_s = time.monotonic() - self.child.started_at if self.child is not None else 0.0
        if missing and not self._told_waiting and waiting_s > WAITING_TOLD_AFTER_S:
            self._told_waiting = True
            self._report(Happening.WAITING, f"{self.program.name} waits for: {', '.join(missing)}.")
        return bool(missing)

    async def _until_dead_or_silent(self, child: Child) -> None:
        """Return when it has ended; one that answers nobody any more, or cannot work any more, is ended."""
        if not isinstance(self.program, Server):
            return
        patience = Patience()
        while not patience.over:
            if await _has_ended_within(child, LOOK_EVERY_S):
                return
            if not self.program.has_room():
                patience.lacks_room()  # it is left alone: a start would take room as well
            elif patience.may_ask():
                patience.note(is_live=await self.program.is_live())
        self._report(Happening.HUNG, f"{self.program.name} no longer answers, or no longer works, and is ended.")
        child.kill()

    def _report_end(self, status: int, pause_s: float) -> None:
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        message = f"{self.program.name} {how}; it starts again in {pause_s:g} s."
        self._report(Happening.DIED, message, exit_status=status, retry_in_s=pause_s)
        self._give_up_hope(pause_s, status)

    def _report_no_start(self, error: OSError, pause_s: float) -> None:
        message = f"{self.program.name} could not be started ({error.strerror}); it is tried again in {pause_s:g} s."
        self._report(Happening.DIED, message, retry_in_s=pause_s)
        self._give_up_hope(pause_s)

    def _give_up_hope(self, pause_s: float, status: int | None = None) -> None:
        if self._backoff.hopeless:
            self.hopeless.set()
            self._report(Happening.HOPELESS, self.program.failure(), exit_status=status, retry_in_s=pause_s)

    def _report(
        self, happening: Happening, message: str, *, exit_status: int | None = None, retry_in_s: float | None = None
    ) -> None:
        self._tell(Event(self.program.name, happening, message, self.program.log, exit_status, retry_in_s))


class Patience:
    """How long a server is waited for that does not work: shortly, where its disk was full since it last did."""

    def __init__(self) -> None:
        self._silences = 0
        self._lacked_room = False
        self._asked_s = time.monotonic()

    @property
    def over(self) -> bool:
        """Whether it has been silent for too long."""
        return self._silences >= (SILENCES_ALLOWED_AFTER_FULL_DISK if self._lacked_room else SILENCES_ALLOWED)

    def may_ask(self) -> bool:
        """Whether it is time to ask: no question is free."""
        return self._lacked_room or time.monotonic() - self._asked_s >= LIVE_EVERY_S

    def lacks_room(self) -> None:
        """Its disk is full at present."""
        self._lacked_room = True
        self._silences = 0

    def note(self, *, is_live: bool) -> None:
        """It was asked, and this is the answer."""
        self._asked_s = time.monotonic()
        self._silences = 0 if is_live else self._silences + 1
        self._lacked_room = self._lacked_room and not is_live


async def _has_ended_within(child: Child, time_s: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(time_s):
            await child.wait()
            return True
    return False
