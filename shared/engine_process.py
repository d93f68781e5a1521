"""Engines run in child processes, where they can be killed: a stuck or crashing engine never takes its service along.

A child keeps what it loaded (a speech model) between calls, dies with its parent, and is replaced after it was
killed. A call that takes too long is first interrupted, which leaves the child as it is, and then killed (PIP-3).
"""

import asyncio
import contextlib
import functools
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Literal, ParamSpec, TypeVar

import structlog

from shared.errors import EngineError, EngineTimeoutError
from shared.time_limits import Interruption, TimeLimits, call_until

log = structlog.get_logger()

P = ParamSpec("P")
T = TypeVar("T")


def _initialise(parent: int, preload: Callable[[], None] | None) -> None:
    os.setpgid(0, 0)  # so that programs an engine starts are killed with it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Not the kernel's parent-death signal: that would end this process alone and orphan what it started.
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()
    if preload is not None:
        preload()


def _die_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(0, signal.SIGKILL)


def _look_at(call: "asyncio.Future[T]") -> None:
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
    """Runs functions one after another in one child process. `preload` is called there once, at its start."""

    def __init__(self, preload: Callable[[], None] | None = None) -> None:
        self._preload = preload
        self._turn = asyncio.Lock()
        self._executor: ProcessPoolExecutor | None = None

    def _start(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            1,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_initialise,
            initargs=(os.getpid(), self._preload),
        )

    async def run(self, limits: TimeLimits, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` in the child and return its result; waits for its turn first.

        Raises what `function` raises, EngineTimeoutError when a limit has passed, and EngineError when the child died.
        At the soft limit the function is interrupted: it cleans up, and the child is there for the next call. At the
        hard limit and when the caller is cancelled the child is killed with its own children.
        """
        async with self._turn:
            executor = self._executor = self._executor or self._start()
            began = time.monotonic()
            work = functools.partial(call_until, began + limits.soft_s, function, *args, **kwargs)
            call = asyncio.get_running_loop().run_in_executor(executor, work)
            call.add_done_callback(_look_at)
            try:
                done, _ = await asyncio.wait([call], timeout=limits.hard_s)
                if not done:
                    self.kill()
                    raise _took_too_long(function, began, limits, "killed")
                return await call
            except Interruption as interruption:
                raise _took_too_long(function, began, limits, "interrupted") from interruption
            except BrokenProcessPool as error:
                self.kill()
                raise EngineError(f"{_name(function)}: the engine's process died") from error
            except asyncio.CancelledError:
                self.kill()
                raise

    def kill(self) -> None:
        """Kill the child and everything it started. The next call starts a new one."""
        executor, self._executor = self._executor, None
        if executor is None:
            return
        for pid in list(getattr(executor, "_processes", None) or {}):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        executor.shutdown(wait=False, cancel_futures=True)
