"""What every object store does, and the reference that travels in events (claim check)."""

import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import InvalidMessageError

CHUNK = 1 << 20
_KEY = re.compile(r"^(?!/)(?!.*//)(?!.*(^|/)\.{1,2}(/|$))[A-Za-z0-9/._-]{1,400}(?<!/)$")


class ObjectRef(BaseModel):
    """An object and what its bytes must be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Annotated[str, Field(max_length=400, examples=["transcription/4f1d2c/9a0b/document.json"])]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0)]
    media_type: Annotated[str, Field(max_length=200)] = "application/octet-stream"


@dataclass(frozen=True)
class ObjectStat:
    """An object's key, size in bytes and time of last change (seconds since the epoch)."""

    key: str
    size: int
    modified_s: float


def checked_key(key: str) -> str:
    """Return `key` if it is one: relative, no `..`, letters, digits and `/._-` only. Raises InvalidMessageError."""
    if not _KEY.match(key):
        raise InvalidMessageError(f"not an object key: {key[:100]!r}")
    return key


class ObjectStore(Protocol):
    """Objects by key. A put is all or nothing; a key is overwritten whole.

    Raises ObjectNotFoundError for a key that is not there and StorageError when the store refuses or is away.
    """

    async def put_bytes(self, key: str, data: bytes, media_type: str) -> ObjectRef:
        """Store `data` under `key`."""
        ...

    async def put_file(self, key: str, path: Path, media_type: str) -> ObjectRef:
        """Store the bytes of the file at `path` under `key`, with bounded memory."""
        ...

    async def put_stream(self, key: str, chunks: AsyncIterator[bytes], media_type: str, *, max_size: int) -> ObjectRef:
        """Store what `chunks` yields. More than `max_size` bytes: SourceTooLargeError, and nothing is stored."""
        ...

    async def read(self, key: str) -> bytes:
        """Whole bytes of a small object."""
        ...

    def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Bytes from `start` up to but not including `end`, in chunks of at most 1 MiB."""
        ...

    async def stat(self, key: str) -> ObjectStat:
        """Size and time of an object."""
        ...

    def as_file(self, key: str, folder: Path) -> AbstractAsyncContextManager[Path]:
        """A read-only file with the object's bytes while the context lasts; `folder` may receive a copy."""
        ...

    def walk(self, prefix: str) -> AsyncIterator[ObjectStat]:
        """Every object whose key starts with `prefix`, a folder with its trailing slash."""
        ...

    async def delete(self, key: str) -> None:
        """Delete an object; one that is not there is no error."""
        ...

    async def delete_all(self, prefix: str) -> int:
        """Delete every object under `prefix` (a folder with its trailing slash); returns how many there were."""
        ...

    async def abandon(self, prefix: str, before_s: float) -> None:
        """Remove what uploads under `prefix` that began before `before_s` (seconds since the epoch) left unfinished."""
        ...

    async def check(self) -> None:
        """Raise StorageError unless an object can be put, fetched and deleted."""
        ...
