"""A small file system in memory, and how it is filled to the last byte. Linux, as root."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NoSmallDiskError(Exception):
    """Nothing can be mounted here: that takes root."""


@contextmanager
def small_disk(folder: Path, *, size_mb: int) -> Iterator[Path]:
    """`folder`, made, as a file system of `size_mb` while the context lasts. Raises NoSmallDiskError."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "none", str(folder)]
    try:
        refused = subprocess.run(mount, capture_output=True, check=False).returncode
    except FileNotFoundError:
        refused = 1
    if refused:
        raise NoSmallDiskError("a small file system can only be mounted by root, on Linux")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(ballast: Path) -> None:
    """Write to `ballast` until its file system holds no further byte."""
    size = 1 << 20
    with ballast.open("ab", buffering=0) as file:
        while size:
            try:
                file.write(bytes(size))
            except OSError:
                size //= 2
