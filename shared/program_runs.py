"""Which programs (ffmpeg, tesseract) an engine's process has run, for the trace of the job (OPS-3).

They are noted where they run, in the engine's process, and handed over with the answer of each call.
"""

import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class ProgramRuns:
    """All runs of one program within one call. Times are nanoseconds since the epoch.

    `exit_code` is that of the last run that failed, minus the signal's number where one ended it; `failures` counts
    these. A run that was ended because no more of its output was wanted is none.
    """

    name: str
    began_ns: int
    ended_ns: int
    runs: int = 1
    busy_ns: int = 0
    failures: int = 0
    exit_code: int = 0

    def with_run(self, later: "ProgramRuns") -> "ProgramRuns":
        """These and a further one."""
        return replace(
            self,
            began_ns=min(self.began_ns, later.began_ns),
            ended_ns=max(self.ended_ns, later.ended_ns),
            runs=self.runs + later.runs,
            busy_ns=self.busy_ns + later.busy_ns,
            failures=self.failures + later.failures,
            exit_code=later.exit_code or self.exit_code,
        )


_LOCK = threading.Lock()
_RUNS: dict[str, ProgramRuns] = {}


def note_program(name: str, began_ns: int, ended_ns: int, exit_code: int) -> None:
    """Remember a run that has ended; 0 as its `exit_code` also where it was ended unfinished on purpose."""
    run = ProgramRuns(
        name,
        began_ns,
        ended_ns,
        busy_ns=ended_ns - began_ns,
        failures=int(exit_code != 0),
        exit_code=exit_code,
    )
    with _LOCK:
        _RUNS[name] = _RUNS[name].with_run(run) if name in _RUNS else run


def take_programs() -> tuple[ProgramRuns, ...]:
    """What was noted since this was last asked."""
    with _LOCK:
        taken = tuple(_RUNS.values())
        _RUNS.clear()
    return taken


def run_program(
    command: Sequence[str], *, timeout_s: float, stdin: bytes = b"", environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[bytes]":
    """Run a program to its end, and note it. Raises TimeoutExpired and OSError as `subprocess.run` does."""
    began_ns = time.time_ns()
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, timeout=timeout_s, check=False, env=environment
        )
    except subprocess.TimeoutExpired:
        note_program(command[0], began_ns, time.time_ns(), -int(signal.SIGKILL))
        raise
    note_program(command[0], began_ns, time.time_ns(), done.returncode)
    return done
