"""The service's end of the line to an engine's process: started, asked, and ended."""

import asyncio
import contextlib
import io
import os
import pickle
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pipe
from typing import Any

import structlog

from shared.engine_child import Answer, Setup
from shared.engine_limits import clean_environment
from shared.errors import EngineError

log = structlog.get_logger()

_PROGRAM = "import sys; from shared.engine_child import main; main(int(sys.argv[1]))"
END_LIMIT_S = 5.0
_told_of_network = threading.Event()


class Line:
    """A child process and the socket to it. One exchange at a time."""

    def __init__(self, setup: Setup) -> None:
        self._connection, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=clean_environment(os.environ),
                process_group=0,  # so that programs an engine starts are killed with it
            )
        self.pid = self._process.pid
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="engine")
        self._setup: bytes | None = pickle.dumps(setup)

    async def exchange(self, request: bytes) -> Answer:
        """Send a pickled call and wait for the answer. Raises EOFError when the child has ended."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._exchange, request)

    def _exchange(self, request: bytes) -> Answer:
        try:
            if self._setup is not None:
                self._connection.send_bytes(self._setup)
                self._setup = None
            self._connection.send_bytes(request)
            answer = _read(self._connection.recv_bytes())
        except OSError as error:  # the other end is closed
            raise EOFError from error
        except pickle.UnpicklingError as error:
            raise EngineError(f"the engine's process gave an answer that is not read: {error}") from error
        if not answer.networkless and sys.platform == "linux" and not _told_of_network.is_set():
            _told_of_network.set()
            log.warning("engines keep the network: this system does not let them give it up")
        return answer

    def end(self) -> int:
        """Kill the child and everything it started; its exit status, or minus the number of the signal that ended it.

        Safe to repeat.
        """
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):  # it hangs in the kernel, which will see to it
                self._process.wait(END_LIMIT_S)
            self._thread.submit(self._connection.close)  # after the exchange that is under way, which ends now
            self._thread.shutdown(wait=False)
        return -signal.SIGKILL if self._process.returncode is None else self._process.returncode


def _read(data: bytes) -> Answer:
    answer = _OwnValues(io.BytesIO(data)).load()
    if not isinstance(answer, Answer):
        raise EngineError("the engine's process gave an answer of another kind")
    return answer


class _OwnValues(pickle.Unpickler):
    """Reads values and errors of Lectern alone: what a decoder of strangers' bytes sends is not to be trusted."""

    def find_class(self, module: str, name: str) -> Any:
        """The class, if a result may be of it. Raises UnpicklingError otherwise."""
        ours = module.startswith(("services.", "shared.")) and "." not in name
        found = super().find_class(module, name) if ours or (module, name) == ("pathlib", "PosixPath") else None
        if not isinstance(found, type):
            raise pickle.UnpicklingError(f"an engine's answer holds {module}.{name}")
        return found
