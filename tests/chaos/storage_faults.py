"""Local storage that refuses, or is full, for as long as a control file says so; for the processes of the services."""

import contextlib
import errno
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from shared.errors import StorageError
from shared.settings import SharedSettings
from shared.storage import ObjectRef, ObjectStore
from shared.storage.local import LocalObjectStore
from shared.storage.port import ObjectStat
from shared.storage.select import open_store

REFUSE, FULL = "refuse", "full"
CONTROL_VARIABLE = "CHAOS_STORAGE_CONTROL"


class Trouble:
    """What ails the storage now, written by the run and read by every service."""

    def __init__(self, control: Path) -> None:
        self._control = control

    def begin(self, kind: str) -> None:
        """From now on the storage refuses, or is full."""
        self._control.write_text(kind)

    def end(self) -> None:
        """Everything works again."""
        self._control.unlink(missing_ok=True)

    @property
    def kind(self) -> str:
        """REFUSE, FULL or nothing."""
        try:
            return self._control.read_text()
        except FileNotFoundError:
            return ""

    def check(self) -> None:
        """Raise StorageError while the storage refuses."""
        if self.kind == REFUSE:
            raise StorageError("the storage refuses")


class TroubledStore(LocalObjectStore):
    """The store as it is, on a disk that has trouble.

    A full disk takes the first half of the first chunk, so what is left behind is a real half-written file.
    """

    def __init__(self, root: Path, trouble: Trouble) -> None:
        super().__init__(root)
        self._trouble = trouble

    def _put_chunks(self, key: str, chunks: "Iterator[bytes] | list[bytes]", media_type: str) -> ObjectRef:
        self._trouble.check()
        return super()._put_chunks(key, self._until_full(chunks), media_type)

    def _until_full(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            if self._trouble.kind == FULL:
                yield chunk[: len(chunk) // 2]
                raise OSError(errno.ENOSPC, "No space left on device")
            yield chunk

    async def put_stream(self, key: str, chunks: AsyncIterator[bytes], media_type: str, *, max_size: int) -> ObjectRef:
        self._trouble.check()

        async def until_full() -> AsyncIterator[bytes]:
            async for chunk in chunks:
                if self._trouble.kind == FULL:
                    yield chunk[: len(chunk) // 2]
                    raise OSError(errno.ENOSPC, "No space left on device")
                yield chunk

        return await super().put_stream(key, until_full(), media_type, max_size=max_size)

    async def read(self, key: str) -> bytes:
        self._trouble.check()
        return await super().read(key)

    async def stat(self, key: str) -> ObjectStat:
        self._trouble.check()
        return await super().stat(key)

    async def delete(self, key: str) -> None:
        self._trouble.check()
        await super().delete(key)

    async def delete_all(self, prefix: str) -> int:
        self._trouble.check()
        return await super().delete_all(prefix)

    async def check(self) -> None:
        self._trouble.check()
        if self._trouble.kind == FULL:
            raise StorageError("check: No space left on device")
        await super().check()


@asynccontextmanager
async def open_troubled_store(settings: SharedSettings, control: Path) -> AsyncIterator[ObjectStore]:
    """What the settings name; a local one with trouble."""
    if settings.storage == "local":
        yield TroubledStore(settings.home, Trouble(control))
        return
    async with contextlib.AsyncExitStack() as stack:
        yield await stack.enter_async_context(open_store(settings))


if not hasattr(LocalObjectStore, "_put_chunks"):
    raise ImportError("LocalObjectStore writes in another way now: put the trouble where it does")
