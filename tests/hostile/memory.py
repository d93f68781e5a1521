"""How much memory the services of a running system have resident, each with all its children."""

import contextlib
import json
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

MB = 1 << 20
EVERY_S = 0.25


class MemoryWatch:
    """Samples the system of `home` while the block runs. Afterwards `worst_mb` is the most that one service had.

    Pages that a parent shares with its child count for both: the figure is never too low for that.
    """

    def __init__(self, home: Path) -> None:
        self._state = home / "state.json"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self.worst_mb = 0.0
        self.worst_service = ""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._over.wait(EVERY_S):
            with contextlib.suppress(OSError, json.JSONDecodeError):  # it is being written anew
                for name, process in json.loads(self._state.read_text())["processes"].items():
                    self._note(name, resident_mb(process["pid"]))

    def _note(self, name: str, used_mb: float) -> None:
        if used_mb > self.worst_mb:
            self.worst_mb, self.worst_service = used_mb, name


def resident_mb(pid: int) -> float:
    """What a process and all its children have resident, in MB."""
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
    return total / MB
