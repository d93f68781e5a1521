"""Engines run in child processes, where they can be killed: a stuck or crashing engine never takes its service along.

A child keeps what it loaded (a speech model) between calls, dies with its parent, and is replaced after it was
killed. A call that takes too long is first interrupted, which leaves the child as it is, and then killed (PIP-3). One
that uses too much memory, with all programs that it started, is killed. An idle child that has grown is ended.
"""

import asyncio
import os
import pickle
import time
from collections.abc import Callable
from typing import Any, Literal, ParamSpec, TypeVar, cast

import structlog

from shared.engine_child import Answer, Call, Setup
from shared.engine_limits import MB, EngineLimits, limit_of_signal
from shared.engine_line import Line
from shared.engine_memory import MemoryBudget, usage_of
from shared.engine_span import EngineCall
from shared.errors import EngineError, EngineLimitError, EngineTimeoutError, Limit
from shared.time_limits import TimeLimits

log = structlog.get_logger()

P = ParamSpec("P")
T = TypeVar("T")

LOOK_EVERY_S = 0.1
# Of its limit: what crashes with less than this resident does not crash for want of memory.
NEARLY_ALL = 0.6


def _look_at(call: "asyncio.Future[Answer]") -> None:
    """A call that was given up fails when its child is killed; nobody needs to be told that nobody asked."""
    if not call.cancelled():
        call.exception()


def _name(function: Callable[..., object]) -> str:
    return getattr(function, "__name__", repr(function))


def _took_too_long(
    function: Callable[..., object], began: float, limits: TimeLimits, end: Literal["interrupted", "killed"]
) -> EngineTimeoutError:
    """The error for a call that came to this end, which is logged."""
    took_s = time.monotonic() - began
    log.warning(
        "engine stopped at its time limit",
        function=_name(function),
        how=end,
        seconds=round(took_s, 1),
        soft_limit_s=limits.soft_s,
        hard_limit_s=limits.hard_s,
    )
    return EngineTimeoutError(f"{_name(function)} was {end} after {took_s:.0f} s")


class EngineProcess:
    """Runs functions one after another in one child process. `preload` is called there once, at its start.

    A child with more than `idle_bytes` is ended when it was idle for `idle_s`.
    """

    def __init__(
        self,
        preload: Callable[[], None] | None = None,
        *,
        limits: EngineLimits = EngineLimits(),  # noqa: B008 -- frozen
        budget: MemoryBudget | None = None,
        idle_s: float = 30.0,
        idle_bytes: int = 200 * MB,
    ) -> None:
        self._preload = None if preload is None else pickle.dumps(preload)
        self._limits = limits
        self._budget = budget or MemoryBudget(limits.memory_bytes)
        self._idle_s = idle_s
        self._idle_bytes = idle_bytes
        self._turn = asyncio.Lock()
        self._line: Line | None = None
        self._excess: Limit | None = None
        self._rest: asyncio.TimerHandle | None = None
        self.resident_bytes = 0
        self._call = EngineCall(waited_s=0, started=False)
        self._budget.join(self)

    @property
    def busy(self) -> bool:
        """Whether a call is under way."""
        return self._turn.locked()

    @property
    def took_s(self) -> float:
        """How long the last call took, without its waiting."""
        return self._call.took_s

    @property
    def share(self) -> float:
        """The part of its own limit that it used when last looked at."""
        return self.resident_bytes / self._limits.memory_bytes

    async def run(self, limits: TimeLimits, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` in the child and return its result; waits for its turn first.

        Raises what `function` raises of Lectern's own errors and EngineError for any other, EngineTimeoutError when a
        time limit has passed, EngineLimitError when another limit was met or the child was killed, and EngineError when
        it ended otherwise. At the soft limit the function is interrupted: it cleans up, and the child is there for the
        next call. At every other limit and when the caller is cancelled the child is killed with its own children.
        """
        asked = time.monotonic()
        async with self._turn:
            self._call = EngineCall(waited_s=time.monotonic() - asked, started=self._line is None)
            with self._call:
                return cast("T", await self._exchange(limits, function, args, kwargs))

    async def _exchange(
        self, limits: TimeLimits, function: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        line = self._ready_line()
        began = time.monotonic()
        request = pickle.dumps(Call(function, args, kwargs, began + limits.soft_s))
        call = asyncio.ensure_future(line.exchange(request))
        call.add_done_callback(_look_at)
        try:
            if not await self._watched(call, line, began + limits.hard_s):
                raise _took_too_long(function, began, limits, "killed")
            answer = await call
        except EOFError:
            raise self._died(function, line) from None
        finally:
            if not call.done() or call.cancelled() or call.exception() is not None:
                self.kill()
        self._call.programs = answer.programs
        self._note(line)
        if answer.interrupted:
            raise _took_too_long(function, began, limits, "interrupted")
        if answer.error is not None:
            raise answer.error
        return answer.result

    def _ready_line(self) -> Line:
        """The line to the child, which is started unless there is one."""
        if self._rest is not None:
            self._rest.cancel()
        if self._line is None:
            self._excess = None
            self._line = Line(Setup(os.getpid(), self._limits, self._preload))
        return self._line

    async def _watched(self, call: "asyncio.Future[Answer]", line: Line, deadline: float) -> bool:
        """Wait for the answer or the child's end, looking at its memory meanwhile. False when the deadline passed."""
        while (left_s := deadline - time.monotonic()) > 0:
            done, _ = await asyncio.wait([call], timeout=min(LOOK_EVERY_S, left_s))
            if done:
                return True
            usage = usage_of(line.pid)
            self.resident_bytes = usage.resident_bytes
            self._call.saw(usage.resident_bytes)
            if usage.resident_bytes > self._limits.memory_bytes:
                self.give_way()
            elif usage.programs > self._limits.processes:
                self._end_for("programs")
            self._budget.keep()
        return False

    def give_way(self) -> None:
        """End the process for the memory that it has. A call that is under way fails with EngineLimitError."""
        self._end_for("memory")

    def _end_for(self, limit: Limit) -> None:
        log.warning(
            "engine ended at its limit" if self.busy else "idle engine ended",
            limit=limit,
            resident_mb=self.resident_bytes // MB,
            limit_mb=self._limits.memory_bytes // MB,
        )
        if self.busy and self._line is not None:
            self._excess = limit
            self._line.end()  # what the call makes of that, it raises
            self.resident_bytes = 0
        else:
            self.kill()

    def _died(self, function: Callable[..., object], line: Line) -> EngineError:
        """The error for a child that was ended or ended itself."""
        status = self._call.exit_code = line.end()
        if self._excess is None and status >= 0:
            return EngineError(f"{_name(function)}: the engine's process ended with status {status}")
        limit = self._excess or limit_of_signal(-status, "memory" if self.share > NEARLY_ALL else "crash")
        log.warning("engine died", function=_name(function), limit=limit, status=status)
        return EngineLimitError(f"{_name(function)}: the engine's process was ended: {limit} ({status})", limit=limit)

    def _note(self, line: Line) -> None:
        """After a call: what the child has kept, and whether it is to be ended when nobody wants it for a while."""
        self.resident_bytes = usage_of(line.pid).resident_bytes
        self._call.saw(self.resident_bytes)
        if self.resident_bytes > self._idle_bytes:
            self._rest = asyncio.get_running_loop().call_later(self._idle_s, self._end_idle)

    def _end_idle(self) -> None:
        if not self.busy:
            self.kill()

    def kill(self) -> None:
        """Kill the child and everything it started. The next call starts a new one."""
        line, self._line = self._line, None
        self.resident_bytes = 0
        if self._rest is not None:
            self._rest.cancel()
        if line is not None:
            line.end()
