"""What runs in the process of an engine, which `shared.engine_process` starts.

It reads one call after another from the socket that it was given and answers each. It dies with the service.
"""

import contextlib
import errno
import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

from shared.engine_limits import EngineLimits, allow_cpu, confine, wants_memory
from shared.errors import EngineError, EngineLimitError, LecternError
from shared.program_runs import ProgramRuns, take_programs
from shared.time_limits import Interruption, call_until


@dataclass(frozen=True)
class Setup:
    """The first thing a child is told. `preload` is a pickled function, called once, before the first call."""

    parent: int
    limits: EngineLimits
    preload: bytes | None


@dataclass(frozen=True)
class Call:
    """A function to call, and the moment of `time.monotonic` at which it is interrupted."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    soft_deadline: float


@dataclass(frozen=True)
class Answer:
    """How a call ended: with `result`, with `error`, or `interrupted`; and the `programs` that it ran.

    `networkless` is a fact about the child.
    """

    result: Any = None
    error: LecternError | None = None
    interrupted: bool = False
    programs: tuple[ProgramRuns, ...] = ()
    networkless: bool = False


def main(descriptor: int) -> None:
    """Answer calls until the service hangs up."""
    os.set_inheritable(descriptor, False)  # noqa: FBT003 -- its signature; programs must not hold the line when this process is gone
    connection = Connection(descriptor)
    setup: Setup = pickle.loads(connection.recv_bytes())  # noqa: S301 - from the service, which we trust
    networkless = confine(setup.limits)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Not the kernel's parent-death signal: that would end this process alone and orphan what it started.
    threading.Thread(target=_die_with, args=(setup.parent,), daemon=True).start()
    engine = _Engine(setup)
    with contextlib.suppress(EOFError):  # the service has hung up
        while True:
            answer = engine.answer(connection.recv_bytes())
            connection.send_bytes(pickle.dumps(replace(answer, programs=take_programs(), networkless=networkless)))


class _Engine:
    """Calls functions, and makes of whatever they raise what the service can understand."""

    def __init__(self, setup: Setup) -> None:
        self._cpu_s = setup.limits.cpu_s
        self._preload = setup.preload

    def answer(self, request: bytes) -> Answer:
        """Make the call in `request`, a pickled `Call`."""
        try:
            return Answer(result=self._call(request))
        except Interruption:
            return Answer(interrupted=True)
        except LecternError as error:
            return Answer(error=_portable(error))
        except Exception as error:  # whatever a decoder or a typesetter raises concerns this call alone
            return Answer(error=_of_engine(error))

    def _call(self, request: bytes) -> Any:
        allow_cpu(self._cpu_s)
        if self._preload is not None:
            pickle.loads(self._preload)()  # noqa: S301 - from the service, which we trust
            self._preload = None
        call: Call = pickle.loads(request)  # noqa: S301 - as above
        return call_until(call.soft_deadline, call.function, *call.args, **call.kwargs)


def _of_engine(error: Exception) -> EngineError:
    """What is said of an error that is none of our own; called while it is handled."""
    # Libraries in C have errors of their own for the want of memory.
    if isinstance(error, MemoryError) or wants_memory(str(error)):
        return EngineLimitError(traceback.format_exc(), limit="memory")
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return EngineLimitError(traceback.format_exc(), limit="file")
    return EngineError(traceback.format_exc())


def _portable(error: LecternError) -> LecternError:
    """`error`, or what is left of one that does not survive the way to another process."""
    try:
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    except (TypeError, AttributeError, pickle.PicklingError):
        copy = None
    return error if isinstance(copy, LecternError) else EngineError(str(error), public_message=error.public_message)


def _die_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(0, signal.SIGKILL)
