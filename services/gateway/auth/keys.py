"""API keys: one for the local user is made at first start and kept in the state folder."""

import asyncio
import contextlib
import hmac
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from services.gateway.auth.secrets import hashed, new_secret
from shared.database import Collection, Database, translated

KEY_PREFIX = "lk_"
LOCAL_OWNER = "local"
_FILE = "api-key"


class ApiKeys:
    """The keys in the database, by their hashes."""

    def __init__(self, database: Database) -> None:
        self._keys: Collection = database["api_keys"]

    async def owner_of(self, key: str) -> str | None:
        """Whose key this is, or None."""
        digest = hashed(key)
        with translated():
            found = await self._keys.find_one({"_id": digest})
        if found is None or not hmac.compare_digest(str(found["_id"]), digest):
            return None
        return str(found["owner"])

    async def register(self, key: str, owner: str) -> None:
        """Let `key` act for `owner`; the same again changes nothing."""
        with translated():
            await self._keys.update_one(
                {"_id": hashed(key)},
                {"$set": {"owner": owner}, "$max": {"registered_at": datetime.now(UTC)}},
                upsert=True,
            )

    async def bootstrap(self, home: Path, given: str | None) -> None:
        """Register the local user's key: the one `given`, or the one in `home`, which is made at first start."""
        key = await asyncio.to_thread(_kept_key, home) if given is None else given
        await self.register(key, LOCAL_OWNER)


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
