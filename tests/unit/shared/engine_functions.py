"""What the tests of engine processes let a child do: importable there, as an engine's functions are."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from shared.engine_process import EngineProcess
from shared.errors import InvalidSourceError

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
    draft = note.with_suffix(".draft")
    draft.write_text(f"{os.getpid()} {program.pid}")
    draft.rename(note)
    time.sleep(600)


def main(note: Path) -> None:
    """Stands for a service whose engine hangs; killed from outside."""
    asyncio.run(EngineProcess().run(600, hang, note))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
