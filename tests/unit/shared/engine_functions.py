"""What the tests of engine processes let a child do: importable there, as an engine's functions are."""

import asyncio
import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from shared.engine_process import EngineProcess
from shared.errors import InvalidSourceError
from shared.time_limits import TimeLimits

LOADED: list[str] = []
SLEEP = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]


def preload() -> None:
    LOADED.append("model")


def loaded() -> list[str]:
    return LOADED


def pid() -> int:
    return os.getpid()


def add(a: int, *, b: int) -> int:
    return a + b


def refuse() -> None:
    raise InvalidSourceError("This file is empty.", internal="/secret/path")


def crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hang(note: Path) -> None:
    """Start a program that hangs, note both process ids, and hang as well."""
    program = subprocess.Popen(SLEEP)
    _write(note, program)
    time.sleep(600)


def _write(note: Path, program: "subprocess.Popen[bytes]") -> None:
    draft = note.with_suffix(".draft")
    draft.write_text(f"{os.getpid()} {program.pid}")
    draft.rename(note)


def hang_tidily(note: Path) -> None:
    """As `hang`, but end the program when interrupted, whatever the engine makes of faults of its own."""
    program = subprocess.Popen(SLEEP)
    try:
        _write(note, program)
        _wait_whatever_happens()
    finally:
        program.kill()
        program.wait()
        note.with_suffix(".tidied").touch()


def _wait_whatever_happens() -> None:
    while True:
        try:
            time.sleep(600)
        except Exception:  # what an engine may do that takes each fault for one of its input
            continue


def hang_in_native_code(note: Path) -> None:
    """As `hang`, where no signal handler runs."""
    program = subprocess.Popen(SLEEP)
    _write(note, program)
    sum(range(10**13))


def nap(seconds: float) -> None:
    time.sleep(seconds)


def be_alarmed() -> None:
    """From now on this process gets signals of the time limit that mean nothing."""
    threading.Thread(target=_alarm, args=(os.getpid(),), daemon=True).start()


def _alarm(pid: int) -> None:
    while True:
        os.kill(pid, signal.SIGALRM)
        time.sleep(0.001)


def main(note: Path) -> None:
    """Stands for a service whose engine hangs; killed from outside."""
    asyncio.run(EngineProcess().run(TimeLimits.of(600), hang, note))


if __name__ == "__main__":
    importlib.import_module("engine_functions").main(Path(sys.argv[1]))  # by a name that the child knows, too
