"""Whether an object store works, by an object that is put, fetched and deleted."""

import contextlib
import secrets
import time

from shared.errors import LecternError, StorageError
from shared.storage.port import ObjectStore

# A prefix of its own: whoever looks for what is left of jobs does not meet these objects.
PREFIX = "health/"
SIZE = 65_536  # more than a file system keeps beside a file's name
LEFT_BEHIND_S = 3600.0


async def check_by_work(store: ObjectStore) -> None:
    """Put an object, fetch it and delete it. Raises StorageError where that cannot be done."""
    key, body = f"{PREFIX}{secrets.token_hex(12)}", secrets.token_bytes(SIZE)
    try:
        await store.put_bytes(key, body, "application/octet-stream")
        if await store.read(key) != body:
            raise StorageError("what was put is not what is fetched")
    except StorageError as error:
        with contextlib.suppress(LecternError):
            await store.delete(key)
        # Of whatever kind, ObjectNotFoundError too: the fault lies with the store.
        raise StorageError(f"check: {error}") from error
    await store.delete(key)


async def remove_old_checks(store: ObjectStore) -> None:
    """Delete what checks of processes that were killed left behind. Raises StorageError."""
    before_s = time.time() - LEFT_BEHIND_S
    for key in [found.key async for found in store.walk(PREFIX) if found.modified_s < before_s]:
        await store.delete(key)
