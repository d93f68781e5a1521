"""API keys: one for the local user is made at first start and kept in the state folder."""

import asyncio
import contextlib
import hmac
import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from services.gateway.auth.secrets import hashed, new_secret
from shared.database import Collection, Database, translated

KEY_PREFIX = "lk_"
LOCAL_OWNER = "local"
_FILE = "api-key"


@dataclass(frozen=True)
class Identity:
    """Whom a key, a session or a sign-in link speaks for, and whether they may do what concerns everybody's jobs."""

    owner: str
    administrator: bool = False


class ApiKeys:
    """The keys in the database, by their hashes."""

    def __init__(self, database: Database) -> None:
        self._keys: Collection = database["api_keys"]

    async def identify(self, key: str) -> Identity | None:
        """Whose key this is, or None. One from before there were roles is no administrator's."""
        digest = hashed(key)
        with translated():
            found = await self._keys.find_one({"_id": digest})
        if found is None or not hmac.compare_digest(str(found["_id"]), digest):
            return None
        return Identity(str(found["owner"]), bool(found.get("administrator", False)))

    async def register(self, key: str, identity: Identity) -> None:
        """Let `key` act for `identity`; the same again changes nothing."""
        with translated():
            await self._keys.update_one(
                {"_id": hashed(key)},
                {
                    "$set": {"owner": identity.owner, "administrator": identity.administrator},
                    "$max": {"registered_at": datetime.now(UTC)},
                },
                upsert=True,
            )

    async def bootstrap(self, home: Path, given: str | None) -> None:
        """Register the local user's key as an administrator's: the one `given`, or the one in `home`.

        That one is made at first start.
        """
        key = await asyncio.to_thread(_kept_key, home) if given is None else given
        await self.register(key, Identity(LOCAL_OWNER, administrator=True))


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
