"""The only module that imports motor.

Motor is deprecated upstream. A swap for PyMongo's own async client happens here; what would change: `close`,
`start_session`, `aggregate` and `watch` become awaitable, and methods return coroutines instead of futures.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import DuplicateKeyError, PyMongoError

from shared.errors import DatabaseError
from shared.settings import SharedSettings

Document = dict[str, Any]
Collection = Any  # motor's classes are built at run time; `Database` below is where they come from

__all__ = ["Collection", "Database", "Document", "DuplicateKeyError", "open_database", "translated"]


@contextmanager
def translated() -> Iterator[None]:
    """Raise DatabaseError for what the driver raises, but for a duplicate key, which callers expect."""
    try:
        yield
    except DuplicateKeyError:
        raise
    except PyMongoError as error:
        raise DatabaseError(f"{type(error).__name__}: {error}") from error


class Database:
    """One service's database. `database["name"]` is a collection."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._database = client[name]

    def __getitem__(self, collection: str) -> Collection:
        return self._database[collection]

    async def check(self) -> None:
        """Raise DatabaseError unless the server answers within two seconds."""
        try:
            with translated():
                async with asyncio.timeout(2):
                    await self._client.admin.command("ping")
        except TimeoutError:
            raise DatabaseError("no answer to a ping") from None


@asynccontextmanager
async def open_database(settings: SharedSettings, service: str) -> AsyncIterator[Database]:
    """The database of `service`. Connects on first use; one that is away raises DatabaseError after 5 s."""
    client: Any = AsyncIOMotorClient(
        settings.mongo_url.get_secret_value(),
        serverSelectionTimeoutMS=5000,
        # A server that hangs is as good as one that is away. An acknowledged write is on the majority's disks.
        socketTimeoutMS=15_000,
        w="majority",
        journal=True,
        tz_aware=True,
        appname=f"lectern-{service}",
    )
    try:
        yield Database(client, f"{settings.mongo_prefix}_{service}")
    finally:
        client.close()
