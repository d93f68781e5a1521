"""The object store that the settings name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from shared.settings import SharedSettings
from shared.storage.local import LocalObjectStore
from shared.storage.port import ObjectStore


@asynccontextmanager
async def open_store(settings: SharedSettings) -> AsyncIterator[ObjectStore]:
    """Open the store for the life of the process."""
    if settings.storage == "local":
        files = LocalObjectStore(settings.home)
        with suppress(OSError):  # a link to a share that is away, for one, keeps no service from starting
            (settings.home / "objects" / "inbox").mkdir(mode=0o700, exist_ok=True)  # for other systems' sources
        yield files
        return
    from shared.storage.s3 import open_s3  # noqa: PLC0415 -- botocore takes 0.4 s and 40 MB that files do not need

    async with open_s3(settings) as store:
        yield store
