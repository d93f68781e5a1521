"""Temporary folders of one service: removed on every path, and after a kill at the next start (OPS-8)."""

import asyncio
import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from shared.errors import ScratchError

# Less room than any work needs; more than a file system finds where it has none.
CHECK_BYTES = 262_144


class Scratch:
    """Folders under `root`, one for this process. A lock tells a dead process's folder from a living one's."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._own: Path | None = None
        self._lock: IO[str] | None = None

    def clean(self) -> None:
        """Make this process's folder and remove those of processes that are gone. Call once, at start."""
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        # One at a time: between making its folder and locking it, a replica must not be taken for a dead one.
        with (self._root / "cleaning").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            self._take_folder()
            self._remove_abandoned()

    def _take_folder(self) -> None:
        own = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=self._root))
        self._lock = (own / "lock").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._own = own.resolve()

    def _remove_abandoned(self) -> None:
        for folder in self._root.iterdir():
            if folder.is_dir() and folder.resolve() != self._own and _is_abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)

    @property
    def path(self) -> Path:
        """This process's folder. Raises RuntimeError before `clean`."""
        if self._own is None:
            raise RuntimeError("Scratch.clean() has not been called")
        return self._own

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """An empty folder that is removed with all it holds at the end of the context."""
        with tempfile.TemporaryDirectory(dir=self.path, ignore_cleanup_errors=True) as path:
            yield Path(path)

    async def check(self) -> None:
        """Raise ScratchError unless a temporary file can be written."""
        await asyncio.to_thread(self._write)

    def _write(self) -> None:
        try:
            with tempfile.TemporaryFile(dir=self.path) as file:
                file.write(bytes(CHECK_BYTES))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise ScratchError(f"check: {error}") from error

    def remove(self) -> None:
        """Remove this process's folder, at its end."""
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()


def _is_abandoned(folder: Path) -> bool:
    try:
        with (folder / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # No lock: its maker was killed before it had one, or somebody else put the folder here.
        return folder.exists() and folder.stat().st_mtime < time.time() - 3600
    return True
