"""Objects as files under one folder. A put writes a temporary file, flushes it to disk and renames it."""

import asyncio
import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import BinaryIO, ParamSpec, TypeVar

from shared.errors import ObjectNotFoundError, SourceTooLargeError, StorageError
from shared.storage.check import check_by_work
from shared.storage.port import CHUNK, ObjectRef, ObjectStat, checked_key
from shared.storage.to_its_end import to_its_end

P = ParamSpec("P")
T = TypeVar("T")

_TRIES = 20
# ELOOP: a symbolic link; ENXIO: a socket.
_NO_OBJECT = (errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.ENXIO)


@contextmanager
def _translated(key: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectNotFoundError(f"no object {key}") from error
    except OSError as error:
        if error.errno in _NO_OBJECT:
            raise ObjectNotFoundError(f"no object {key}") from error
        raise StorageError(f"{key}: {error}") from error


class LocalObjectStore:
    """An ObjectStore in `root`; `root/objects` holds the objects, `root/partial` what is being written."""

    def __init__(self, root: Path) -> None:
        self._objects = root / "objects"
        self._partial = root / "partial"
        for folder in (self._objects, self._partial):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._remove_abandoned(time.time() - 60)  # a file younger than a minute may not have been locked yet

    def _remove_abandoned(self, before_s: float) -> None:
        """Remove what processes that were killed had begun to write: nobody holds its lock any more."""
        for path in self._partial.iterdir():
            with contextlib.suppress(OSError), path.open("rb") as file:
                if path.stat().st_mtime < before_s:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()

    def _path(self, key: str) -> Path:
        return self._objects / checked_key(key)

    def _opened(self, key: str) -> BinaryIO:
        """The file of an object, to read. No symbolic link below the root is followed: others may write in there.

        Raises OSError for a link on the way and for what is no regular file, ObjectNotFoundError for what is not to be
        read by this user.
        """
        *folders, name = checked_key(key).split("/")
        at = os.open(self._objects, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for folder in folders:
                inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
                os.close(at)
                at = inner
            # Not blocking: opening a named pipe would wait for its other end.
            found = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
        except PermissionError as error:  # as when somebody put it there for themselves alone
            raise ObjectNotFoundError(f"{key} may not be read") from error
        finally:
            os.close(at)
        if not stat.S_ISREG(os.fstat(found).st_mode):
            os.close(found)
            raise IsADirectoryError(errno.EISDIR, "not a regular file", key)
        return os.fdopen(found, "rb")

    async def put_bytes(self, key: str, data: bytes, media_type: str) -> ObjectRef:
        """Store `data` under `key`."""
        return await _in_thread(self._put_chunks, key, [data], media_type)

    async def put_file(self, key: str, path: Path, media_type: str) -> ObjectRef:
        """Store the file at `path` under `key`."""

        def copy() -> ObjectRef:
            with _translated(key), path.open("rb") as source:
                return self._put_chunks(key, iter(lambda: source.read(CHUNK), b""), media_type)

        return await _in_thread(copy)

    def _put_chunks(self, key: str, chunks: "Iterator[bytes] | list[bytes]", media_type: str) -> ObjectRef:
        target = self._path(key)
        digest, size = hashlib.sha256(), 0
        with _translated(key):
            handle, name = tempfile.mkstemp(dir=self._partial)
            try:
                with os.fdopen(handle, "wb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX)
                    for chunk in chunks:
                        file.write(chunk)
                        digest.update(chunk)
                        size += len(chunk)
                    _flush(file)
                _rename(Path(name), target)
            finally:
                Path(name).unlink(missing_ok=True)
        return ObjectRef(key=key, sha256=digest.hexdigest(), size=size, media_type=media_type)

    async def put_stream(self, key: str, chunks: AsyncIterator[bytes], media_type: str, *, max_size: int) -> ObjectRef:
        """Store what `chunks` yields, at most `max_size` bytes."""
        target = self._path(key)
        digest, size = hashlib.sha256(), 0
        with _translated(key):
            handle, name = await asyncio.to_thread(tempfile.mkstemp, dir=self._partial)
            try:
                with os.fdopen(handle, "wb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX)
                    async for chunk in chunks:
                        size += len(chunk)
                        if size > max_size:
                            raise SourceTooLargeError(f"This file is larger than the limit of {max_size} bytes.")
                        await asyncio.to_thread(_write, file, chunk)
                        digest.update(chunk)
                    await asyncio.to_thread(_flush, file)
                await _in_thread(_rename, Path(name), target)
            finally:
                Path(name).unlink(missing_ok=True)  # noqa: ASYNC240 -- one system call, and it must not be skipped
        return ObjectRef(key=key, sha256=digest.hexdigest(), size=size, media_type=media_type)

    async def read(self, key: str) -> bytes:
        """Whole bytes of an object."""

        def whole() -> bytes:
            with _translated(key), self._opened(key) as file:
                return file.read()

        return await asyncio.to_thread(whole)

    async def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Bytes `start` to `end` of an object in chunks."""
        with _translated(key):
            file = await asyncio.to_thread(self._opened, key)
            try:
                await asyncio.to_thread(file.seek, start)
                left = None if end is None else end - start
                while left is None or left > 0:
                    chunk = await asyncio.to_thread(file.read, CHUNK if left is None else min(CHUNK, left))
                    if not chunk:
                        return
                    left = None if left is None else left - len(chunk)
                    yield chunk
            finally:
                file.close()

    async def stat(self, key: str) -> ObjectStat:
        """Size and time of an object."""

        def look() -> os.stat_result:
            with _translated(key), self._opened(key) as file:
                return os.fstat(file.fileno())

        found = await asyncio.to_thread(look)
        return ObjectStat(key, found.st_size, found.st_mtime)

    @asynccontextmanager
    async def as_file(self, key: str, folder: Path) -> AsyncIterator[Path]:  # noqa: ARG002 -- nothing is copied here
        """The object's own file; callers must not write to it."""
        await self.stat(key)
        yield self._path(key)

    async def walk(self, prefix: str) -> AsyncIterator[ObjectStat]:
        """Every object under the folder `prefix`."""
        for found in await asyncio.to_thread(self._found, prefix):
            yield found

    def _found(self, prefix: str) -> list[ObjectStat]:
        folder = self._path(prefix.rstrip("/")) if prefix else self._objects
        found: list[ObjectStat] = []
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                status = path.stat()
                found.append(ObjectStat(path.relative_to(self._objects).as_posix(), status.st_size, status.st_mtime))
        return found

    async def delete(self, key: str) -> None:
        """Delete an object if it is there, and the folders that it leaves empty."""
        path = self._path(key)

        def remove() -> None:
            path.unlink(missing_ok=True)
            self._remove_empty(path.parent)

        with _translated(key):
            await asyncio.to_thread(remove)

    def _remove_empty(self, folder: Path) -> None:
        """Remove `folder` and those around it while they are empty; the services' own and `inbox` stay.

        Whoever puts an object there at this moment makes its folder again.
        """
        while len(folder.relative_to(self._objects).parts) > 1:
            try:
                folder.rmdir()
            except FileNotFoundError:
                pass
            except OSError:
                return
            folder = folder.parent

    async def delete_all(self, prefix: str) -> int:
        """Delete every object under the folder `prefix`."""

        def remove() -> int:
            count = len(self._found(prefix))
            folder = self._path(prefix.rstrip("/"))
            shutil.rmtree(folder, ignore_errors=True)
            self._remove_empty(folder.parent)
            return count

        with _translated(prefix):
            return await asyncio.to_thread(remove)

    async def abandon(self, prefix: str, before_s: float) -> None:  # noqa: ARG002 -- a file knows no key before its end
        """Remove what processes that were killed had begun to write."""
        await asyncio.to_thread(self._remove_abandoned, before_s)

    async def check(self) -> None:
        """Raise StorageError unless a file can be written, read and deleted."""
        await check_by_work(self)


async def _in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return await to_its_end(asyncio.to_thread(function, *args, **kwargs))


def _write(file: BinaryIO, chunk: bytes) -> None:
    file.write(chunk)


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _rename(source: Path, target: Path) -> None:
    for _ in range(_TRIES):
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            source.replace(target)
        except FileNotFoundError:  # the folder was deleted with its job in between
            continue
        return
    raise StorageError(f"{target.name}: its folder keeps disappearing")
