"""An object store whose work is seen in the traces of jobs (OPS-3)."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from contextvars import ContextVar
from pathlib import Path

from opentelemetry.trace import SpanKind

from shared.storage.port import ObjectRef, ObjectStat, ObjectStore
from shared.telemetry import span
from shared.telemetry.gather import Sums, told_with_others

_OBJECTS, _BYTES = "lectern.storage.objects", "lectern.storage.bytes"
_PUT_S = "lectern.storage.put_s"
_TOGETHER: ContextVar[Sums | None] = ContextVar("lectern_transfers", default=None)


@contextmanager
def one_span(what: str) -> Iterator[None]:
    """Let many small transfers be one span, such as `get pictures`, that says how many objects and bytes there were."""
    with span(f"storage {what}", kind=SpanKind.CLIENT) as together, _transfers_on(Sums(together)):
        yield


@contextmanager
def put_together(service: str) -> Iterator[None]:
    """Let all transfers that keep a result of `service` be told on the span of its checkpoint, or else on one."""
    with (
        told_with_others({}, _PUT_S) as gathered,
        _transfers_on(gathered) if gathered is not None else one_span(f"put {service}"),
    ):
        yield


@contextmanager
def _transfers_on(sums: Sums) -> Iterator[None]:
    token = _TOGETHER.set(sums)
    try:
        yield
    finally:
        _TOGETHER.reset(token)


def _count(sums: Sums, size: int) -> None:
    sums.add(_OBJECTS, 1)
    sums.add(_BYTES, size)


class TracedStore:
    """An ObjectStore that makes a span of each transfer through `store`, inside a trace. `system`: which kind it is.

    Looks at an object's size and lists make none: they are quick, and many.
    """

    def __init__(self, store: ObjectStore, system: str) -> None:
        self._store = store
        self._system = system

    @contextmanager
    def _span(self, what: str, key: str) -> Iterator[Sums]:
        together = _TOGETHER.get()
        if together is not None:
            together.span.set_attribute("lectern.storage.system", self._system)
            yield together
            return
        service = key.partition("/")[0]
        about = {"lectern.storage.system": self._system, "lectern.storage.prefix": f"{service}/"}
        with span(f"storage {what} {service}", about, kind=SpanKind.CLIENT) as transfer:
            yield Sums(transfer)

    @contextmanager
    def _put(self, key: str) -> Iterator[Sums]:
        with nullcontext() if _TOGETHER.get() else put_together(key.partition("/")[0]), self._span("put", key) as sums:
            yield sums

    async def put_bytes(self, key: str, data: bytes, media_type: str) -> ObjectRef:
        """Store `data` under `key`."""
        with self._put(key) as transfer:
            stored = await self._store.put_bytes(key, data, media_type)
            _count(transfer, stored.size)
        return stored

    async def put_file(self, key: str, path: Path, media_type: str) -> ObjectRef:
        """Store the file at `path` under `key`."""
        with self._put(key) as transfer:
            stored = await self._store.put_file(key, path, media_type)
            _count(transfer, stored.size)
        return stored

    async def put_stream(self, key: str, chunks: AsyncIterator[bytes], media_type: str, *, max_size: int) -> ObjectRef:
        """Store what `chunks` yields."""
        with self._put(key) as transfer:
            stored = await self._store.put_stream(key, chunks, media_type, max_size=max_size)
            _count(transfer, stored.size)
        return stored

    async def read(self, key: str) -> bytes:
        """Whole bytes of an object."""
        with self._span("get", key) as transfer:
            data = await self._store.read(key)
            _count(transfer, len(data))
        return data

    def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Bytes `start` to `end` of an object; the span of the request that asked for them is the one to look at."""
        return self._store.stream(key, start, end)

    async def stat(self, key: str) -> ObjectStat:
        """Size and time of an object."""
        return await self._store.stat(key)

    @asynccontextmanager
    async def as_file(self, key: str, folder: Path) -> AsyncIterator[Path]:
        """A file with the object's bytes; the span ends when it is there."""
        async with AsyncExitStack() as stack:
            with self._span("get", key) as transfer:
                path = await stack.enter_async_context(self._store.as_file(key, folder))
                _count(transfer, path.stat().st_size)
            yield path

    def walk(self, prefix: str) -> AsyncIterator[ObjectStat]:
        """Every object under `prefix`."""
        return self._store.walk(prefix)

    async def delete(self, key: str) -> None:
        """Delete an object if it is there."""
        with self._span("delete", key):
            await self._store.delete(key)

    async def delete_all(self, prefix: str) -> int:
        """Delete every object under `prefix`."""
        with self._span("delete", prefix) as transfer:
            deleted = await self._store.delete_all(prefix)
            transfer.span.set_attribute("lectern.storage.objects", deleted)
        return deleted

    async def abandon(self, prefix: str, before_s: float) -> None:
        """Remove what was left unfinished."""
        await self._store.abandon(prefix, before_s)

    async def check(self) -> None:
        """Raise StorageError unless the store answers."""
        await self._store.check()
