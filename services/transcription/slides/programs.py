"""ffmpeg and ffprobe as children that are ended when they take too long."""

import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from shared.engine_limits import refuse_limited
from shared.errors import EngineError, EngineTimeoutError
from shared.program_runs import note_program, run_program


@dataclass(frozen=True)
class Finished:
    """What a program left: its standard output and the end of what it complained about."""

    output: bytes
    complaint: str
    succeeded: bool


def run(command: list[str], timeout_s: float) -> Finished:
    """Runs a program to its end. EngineTimeoutError after `timeout_s`; EngineLimitError when a limit ended it."""
    try:
        done = run_program(command, timeout_s=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise EngineTimeoutError(f"{command[0]} took more than {timeout_s:.0f} s") from error
    except OSError as error:
        raise EngineError(f"{command[0]} could not be started: {error}") from error
    complaint = done.stderr[-2000:].decode("utf-8", "replace")
    refuse_limited(command[0], done.returncode, complaint)
    return Finished(done.stdout, complaint, done.returncode == 0)


def read_blocks(command: list[str], block_bytes: int, timeout_s: float) -> Iterator[bytes]:
    """Yields a program's output in blocks of `block_bytes`; an incomplete last block is left out.

    The program is ended when the iterator is closed. Raises as `run` does, but not for a failing exit status: what
    was read before it is good.
    """
    with tempfile.TemporaryFile() as complaints:
        began_ns = time.time_ns()
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints)
        except OSError as error:
            raise EngineError(f"{command[0]} could not be started: {error}") from error
        late = threading.Event()
        watchdog = threading.Timer(timeout_s, _end, (process, late))
        watchdog.daemon = True
        watchdog.start()
        try:
            if process.stdout is None:
                raise EngineError(f"{command[0]} has no output")
            while len(block := process.stdout.read(block_bytes)) == block_bytes:
                yield block
            process.wait()
        finally:
            watchdog.cancel()
            finished = process.poll() is not None
            process.kill()
            process.wait()
            note_program(command[0], began_ns, time.time_ns(), process.returncode if finished or late.is_set() else 0)
            if process.stdout is not None:
                process.stdout.close()
        if late.is_set():
            raise EngineTimeoutError(f"{command[0]} took more than {timeout_s:.0f} s")
        if finished:
            refuse_limited(command[0], process.returncode, _tail(complaints))


def _end(process: "subprocess.Popen[bytes]", late: threading.Event) -> None:
    late.set()
    process.kill()


def _tail(complaints: IO[bytes]) -> str:
    complaints.seek(0)
    return complaints.read()[-2000:].decode("utf-8", "replace")
