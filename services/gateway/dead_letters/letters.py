"""The dead letters in the gateway's database: one document for each death of a message.

A letter is `buried` until somebody decides about it: `replaying` while it goes back to its queue, then `replayed`; or
`purged`. The last two are settled: no longer listed, and removed by the tidier once the copy in the dead-letter queue
is gone. Every step is one conditional write, so of two who decide at once one wins.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from services.gateway.dead_letters.letter import DeadLetter
from shared.database import Collection, Database, Document, DuplicateKeyError, translated
from shared.messaging.wire import pack
from shared.storage import ObjectStore

BURIED, REPLAYING, REPLAYED, PURGED = "buried", "replaying", "replayed", "purged"
OBJECTS = "gateway/dead-letters/"
# A larger body lies in the object store whole, and in the document only its beginning for whoever looks at it.
INLINE_BYTES = 256 << 10
PREVIEW_BYTES = 16 << 10
# What a claim counts as that nobody has taken up yet.
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_IDS_AT_ONCE = 50


@dataclass(frozen=True)
class LetterFilter:
    """Which letters: those of all the given values; without any, all letters."""

    queue: str | None = None
    job_id: str | None = None
    reason: str | None = None

    def selector(self) -> Document:
        """The same as the database asks it, but for its leading equality."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class LetterPage:
    """A page of letters, newest first; `cursor` continues after it."""

    letters: tuple[Document, ...]
    cursor: str | None


@dataclass(frozen=True)
class Settled:
    """A letter that was decided about. `sought`: a whole pass over its dead-letter queue has looked for its copy."""

    id: str
    queue: str
    at: datetime
    sought: bool
    stored: bool


class DeadLetters:
    """The documents, and the bodies that are too large for them. Every method may raise DatabaseError."""

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._letters: Collection = database["dead_letters"]
        self._store = store

    async def prepare(self) -> None:
        """Create the indexes: one for every listing, one for the replays that are under way."""
        with translated():
            await self._letters.create_index([("open", 1), ("order", -1)])
            for name in ("queue", "job_id", "reason"):
                await self._letters.create_index([(name, 1), ("open", 1), ("order", -1)])
            await self._letters.create_index([("state", 1), ("replaying_since", 1)])

    async def keep(self, dead: DeadLetter) -> None:
        """Keep a letter; one that is kept already stays as it is. Also raises StorageError, for a large body."""
        now = datetime.now(UTC)
        large = len(dead.body) > INLINE_BYTES
        document: Document = {
            "_id": dead.id,
            "letter": dead.letter,
            "replays": dead.replays,
            "queue": dead.queue,
            "replayable": dead.replayable,
            "job_id": dead.job_id,
            "reason": dead.reason,
            "code": dead.code,
            "public_message": dead.public_message,
            "attempts": dead.attempts,
            "history": [asdict(failure) for failure in dead.history],
            "trace_id": dead.trace_id,
            "size": len(dead.body),
            "body": dead.body[:PREVIEW_BYTES] if large else dead.body,
            "stored": large,
            "headers": pack(dead.headers),
            "properties": asdict(dead.properties),
            "buried_at": now,
            "order": f"{int(now.timestamp() * 1000):015d}-{dead.id}",
            "state": BURIED,
            "open": True,
        }
        if large:
            if await self.find(dead.id) is not None:
                return
            await self._store.put_bytes(_key(dead.id), dead.body, "application/octet-stream")
        with contextlib.suppress(DuplicateKeyError), translated():
            await self._letters.insert_one(document)

    async def find(self, letter: str) -> Document | None:
        """Everything kept about a letter, settled ones included."""
        with translated():
            document: Document | None = await self._letters.find_one({"_id": letter})
        return document

    async def body(self, document: Document) -> bytes:
        """The whole body. Raises ObjectNotFoundError where a large one is gone, and StorageError."""
        return await self._store.read(_key(document["_id"])) if document["stored"] else bytes(document["body"])

    async def page(self, chosen: LetterFilter, *, before: str | None, limit: int) -> LetterPage:
        """At most `limit` letters, newest first, those after `before`. One query; bodies and headers stay behind."""
        selector: Document = {**chosen.selector(), "open": True}
        if before:
            selector["order"] = {"$lt": before}
        with translated():
            found = self._letters.find(selector, {"body": 0, "headers": 0}).sort("order", -1).limit(limit + 1)
            documents: list[Document] = await found.to_list(limit + 1)
        shown = tuple(documents[:limit])
        return LetterPage(shown, shown[-1]["order"] if len(documents) > limit else None)

    async def count(self, chosen: LetterFilter, *, replayable: bool) -> int:
        """How many buried letters of `chosen` have a queue of ours, or have none."""
        selector: Document = {**chosen.selector(), "state": BURIED, "replayable": replayable}
        with translated():
            return int(await self._letters.count_documents(selector))

    async def claim(self, letter: str) -> bool:
        """Let a buried letter go back to its queue; whether it is the caller who does it."""
        taken = {"state": REPLAYING, "replaying_since": datetime.now(UTC)}
        return await self._change_one({"_id": letter, "state": BURIED, "replayable": True}, taken)

    async def claim_all(self, chosen: LetterFilter) -> int:
        """Let all buried letters of `chosen` go back to their queues; how many those are. `claimed` finds them."""
        claim = {"state": REPLAYING, "replaying_since": _NEVER}
        return await self._change({**chosen.selector(), "state": BURIED, "replayable": True}, claim)

    async def claimed(self, *, idle: timedelta, limit: int) -> list[str]:
        """Letters on their way back that nobody has taken up for that long."""
        selector = {"state": REPLAYING, "replaying_since": {"$lt": datetime.now(UTC) - idle}}
        with translated():
            found: list[Document] = await self._letters.find(selector, {"_id": 1}).limit(limit).to_list(limit)
        return [document["_id"] for document in found]

    async def take_up(self, letter: str, *, idle: timedelta) -> Document | None:
        """A letter on its way back that is the caller's to send; None where somebody else was faster."""
        document = await self.find(letter)
        if document is None or document["state"] != REPLAYING:
            return None
        now, since = datetime.now(UTC), document["replaying_since"]
        if since >= now - idle:
            return None
        mine = await self._change_one(
            {"_id": letter, "state": REPLAYING, "replaying_since": since}, {"replaying_since": now}
        )
        return document if mine else None

    async def give_back(self, letter: str) -> None:
        """Bury a letter again that cannot be replayed."""
        await self._change_one({"_id": letter, "state": REPLAYING}, {"state": BURIED})

    async def sent(self, letter: str) -> None:
        """Remember that a letter is back in its queue."""
        await self._change_one({"_id": letter, "state": REPLAYING}, _settled_as(REPLAYED))

    async def purge(self, letter: str) -> bool:
        """Throw a buried letter away; whether there was one to throw away."""
        return await self._change_one({"_id": letter, "state": BURIED}, _settled_as(PURGED))

    async def purge_all(self, chosen: LetterFilter) -> int:
        """Throw all buried letters of `chosen` away; how many those were."""
        return await self._change({**chosen.selector(), "state": BURIED}, _settled_as(PURGED))

    async def purge_job(self, job_id: str) -> int:
        """Settle every letter of a job that is deleted or begun anew; how many there were."""
        return await self._change({"job_id": job_id, "open": True}, _settled_as(PURGED))

    async def _change(self, selector: Document, values: Document) -> int:
        """Set `values` wherever `selector` fits; how often.

        One by one, since thousands in one command can outlast the driver's patience. A fault leaves those before it
        done, and the same again does the rest.
        """
        with translated():
            found: list[Document] = await self._letters.find(selector, {"_id": 1}).to_list(None)
        unchanged: Document = {name: selector[name] for name in ("state", "open") if name in selector}
        changed = 0
        for document in found:
            changed += await self._change_one({"_id": document["_id"], **unchanged}, values)
        return changed

    async def _change_one(self, selector: Document, values: Document) -> bool:
        with translated():
            result = await self._letters.update_one(selector, {"$set": values})
        return bool(result.modified_count)

    async def settled(self, limit: int = 50_000) -> list[Settled]:
        """Letters whose copies may still lie in their dead-letter queues."""
        fields = {"queue": 1, "settled_at": 1, "sought": 1, "stored": 1}
        with translated():
            found: list[Document] = await self._letters.find({"open": False}, fields).limit(limit).to_list(limit)
        return [Settled(one["_id"], one["queue"], one["settled_at"], one["sought"], one["stored"]) for one in found]

    async def sought(self, letters: Sequence[Settled]) -> None:
        """Remember that a whole pass has looked for the copies of `letters`."""
        for ids in _slices([letter.id for letter in letters]):
            with translated():
                await self._letters.update_many({"_id": {"$in": ids}}, {"$set": {"sought": True}})

    async def forget(self, letters: Sequence[Settled]) -> None:
        """Delete settled letters with all that was kept of them. Also raises StorageError."""
        for letter in letters:
            if letter.stored:
                await self._store.delete(_key(letter.id))
        for ids in _slices([letter.id for letter in letters]):
            with translated():
                await self._letters.delete_many({"_id": {"$in": ids}})


def _settled_as(state: str) -> Document:
    return {"state": state, "open": False, "settled_at": datetime.now(UTC), "sought": False}


def _slices(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + _IDS_AT_ONCE] for start in range(0, len(ids), _IDS_AT_ONCE))


def _key(letter: str) -> str:
    return f"{OBJECTS}{letter}"
