"""The first key: an administrator's of the local user, given by a setting or kept in the state folder."""

import asyncio
import contextlib
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import structlog

from services.gateway.auth.keys import KEY_PREFIX, LOCAL_OWNER, ApiKeys, Identity
from services.gateway.auth.secrets import hashed, new_secret
from shared.database import Collection, Database, DuplicateKeyError, ReturnDocument, translated

log = structlog.get_logger()

_FILE = "api-key"


async def bootstrap(database: Database, keys: ApiKeys, home: Path, given: str | None) -> None:
    """Register the first key: the one `given`, or the one in `home`, which is made at first start.

    The first key of an earlier start is revoked, unless it is the same.
    """
    key = await asyncio.to_thread(_kept_key, home) if given is None else given
    await keys.register(key, Identity(LOCAL_OWNER, administrator=True))
    await _replace(database, hashed(key))


async def _replace(database: Database, digest: str) -> None:
    """Make the key the only first key. Of several replicas with different ones, the last that starts wins.

    Starts are numbered. A first key holds while no later start than its own has had another; numbers only grow, so
    replicas that start at once come to the same end in whatever order they write, and clocks do not matter.
    """
    keys: Collection = database["api_keys"]
    start = await _next_start(database)
    with translated():
        revoked = await keys.find_one({"_id": digest, "revoked_at": {"$exists": True}})
        if revoked is not None:  # it stays so, and takes no other's place
            log.warning("the api key that this gateway was started with is revoked: replace it", key=revoked["id"])
            return
        await keys.update_one({"_id": digest}, {"$max": {"bootstrap": start}})
        # Before keys had names, the first key was the only one that the local user could have.
        from_before = {"bootstrap": {"$exists": False}, "name": {"$exists": False}, "owner": LOCAL_OWNER}
        await keys.update_many(
            {"_id": {"$ne": digest}, "$or": [{"bootstrap": {"$exists": True}}, from_before]},
            {"$max": {"replaced_by": start}, "$min": {"replaced_at": datetime.now(UTC)}},
        )


async def _next_start(database: Database) -> int:
    """A number greater than that of every earlier start."""
    counters: Collection = database["counters"]
    while True:
        try:
            with translated():
                found = await counters.find_one_and_update(
                    {"_id": "bootstrap"}, {"$inc": {"starts": 1}}, upsert=True, return_document=ReturnDocument.AFTER
                )
        except DuplicateKeyError:  # two made the counter at once: now it is there
            continue
        if found is not None:  # the embedded database answers nothing to one of two that made it at once
            return int(found["starts"])


def _kept_key(home: Path) -> str:
    path = home / _FILE
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=home)  # mkstemp makes it readable by its owner alone
        try:
            with os.fdopen(handle, "w") as file:
                file.write(new_secret(KEY_PREFIX) + "\n")
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):  # another replica was faster: its key is the one
                path.hardlink_to(name)
        finally:
            Path(name).unlink()
    return path.read_text().strip()
