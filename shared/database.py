"""The only module that imports motor.

Motor is deprecated upstream. A swap for PyMongo's own async client happens here; what would change: `close`,
`start_session`, `aggregate` and `watch` become awaitable, and methods return coroutines instead of futures.
"""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from opentelemetry.trace import SpanKind
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError, PyMongoError

from shared.errors import DatabaseError
from shared.settings import SharedSettings
from shared.slow_commands import SlowCommandLog
from shared.telemetry import span
from shared.telemetry.gather import told_with_others

Document = dict[str, Any]
Collection = Any  # motor's classes are built at run time; `Database` below is where they come from

AWAY_AFTER_MS = 5000
HUNG_AFTER_MS = 15_000  # a server that takes longer over an answer is as good as one that is away
CHECKS = "health"
CHECKS_KEPT = timedelta(hours=1)

__all__ = [
    "Collection",
    "Database",
    "Document",
    "DuplicateKeyError",
    "ReturnDocument",
    "open_database",
    "translated",
    "written",
]


@contextmanager
def translated() -> Iterator[None]:
    """Raise DatabaseError for what the driver raises, but for a duplicate key, which callers expect."""
    try:
        yield
    except DuplicateKeyError:
        raise
    except PyMongoError as error:
        raise DatabaseError(f"{type(error).__name__}: {error}") from error


@contextmanager
def written(operation: str, collection: Collection) -> Iterator[None]:
    """`translated`, for a write that is a step of a job: a span of the trace at hand, named as the conventions want it.

    `operation` is the database's own word. Reads and what sweepers write make none.
    """
    names: Document = {"db.system.name": "mongodb", "db.operation.name": operation}
    name = getattr(collection, "name", "")
    names |= {"db.collection.name": name, "db.namespace": getattr(getattr(collection, "database", None), "name", None)}
    with told_with_others(names, "lectern.database.write_s") as gathered, translated():
        if gathered is not None:
            yield
            return
        with span(f"{operation} {name}", names, kind=SpanKind.CLIENT, expected=(DuplicateKeyError,)):
            yield


class Database:
    """One service's database. `database["name"]` is a collection."""

    def __init__(self, client: Any, name: str) -> None:
        self._database = client[name]
        self._name = secrets.token_hex(12)  # of this process: others write their own documents
        self._checked = False

    def __getitem__(self, collection: str) -> Collection:
        return self._database[collection]

    async def check(self) -> None:
        """Raise DatabaseError unless a document can be written and read back."""
        now = datetime.now(UTC)
        with translated():
            if not self._checked:  # processes that are gone leave one document each
                await self[CHECKS].delete_many({"at": {"$lt": now - CHECKS_KEPT}})
            await self[CHECKS].update_one({"_id": self._name}, {"$set": {"at": now}}, upsert=True)
            found = await self[CHECKS].find_one({"_id": self._name})
        if found is None:
            raise DatabaseError("what was written cannot be read")
        self._checked = True


@asynccontextmanager
async def open_database(settings: SharedSettings, service: str) -> AsyncIterator[Database]:
    """The database of `service`. Connects on first use; one that is away raises DatabaseError after 5 s."""

    async def explain(database: str, search: Document) -> Document:
        plan: Document = await client[database].command("explain", search, verbosity="queryPlanner")
        return plan

    slow = SlowCommandLog(settings.slow_query_ms, explain)
    client: Any = AsyncIOMotorClient(
        settings.mongo_url.get_secret_value(),
        serverSelectionTimeoutMS=AWAY_AFTER_MS,
        socketTimeoutMS=HUNG_AFTER_MS,
        w="majority",  # an acknowledged write is on the majority's disks
        journal=True,
        tz_aware=True,
        appname=f"lectern-{service}",
        event_listeners=[slow.listener],
    )
    try:
        yield Database(client, f"{settings.mongo_prefix}_{service}")
    finally:
        await slow.close()
        client.close()
