"""Small disks of their own for the servers and the services, which can be filled and freed."""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

# Room for a run; only what is written takes memory, and the rest while a disk is full.
SIZES_MB = {"database": 700, "rabbitmq": 500, "home": 1200}
TOP_UP_S = 0.2
LEAST_BYTES = 4096


@dataclass(frozen=True)
class Disk:
    """A file system in memory on `folder`."""

    name: str
    folder: Path

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self) -> None:
        """Leave no room."""
        size = 1 << 28
        with self._ballast.open("ab", buffering=0) as file:
            while size >= LEAST_BYTES:
                try:
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, size)
                except OSError:
                    size //= 2

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)

    def is_full(self) -> bool:
        """Whether there is no room at all."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize < LEAST_BYTES


@contextmanager
def mounted(parent: Path, names: Collection[str]) -> Iterator[dict[str, Disk]]:
    """The disks by name, each in a folder of `parent`; none where nobody but root may mount one."""
    disks: dict[str, Disk] = {}
    try:
        for name in names:
            folder = parent / name
            folder.mkdir(exist_ok=True)
            mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZES_MB[name]}m,mode=0700", "none", str(folder)]
            if subprocess.run(mount, capture_output=True, check=False).returncode == 0:
                disks[name] = Disk(name, folder)
        yield disks
    finally:
        for disk in disks.values():
            subprocess.run(["umount", "--lazy", str(disk.folder)], capture_output=True, check=False)


@asynccontextmanager
async def full(disk: Disk) -> AsyncIterator[None]:
    """The disk is full while the context lasts, also when something on it is removed meanwhile."""

    async def keep_full() -> None:
        while True:
            await asyncio.to_thread(disk.fill)
            await asyncio.sleep(TOP_UP_S)

    await asyncio.to_thread(disk.fill)
    keeping = asyncio.create_task(keep_full())
    try:
        yield
    finally:
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping
        disk.free()
