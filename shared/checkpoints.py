"""Checkpoints: a unit of work is computed once, whatever is delivered twice (PIP-1).

A service keeps one document a finished unit, under a key of (job, stage, unit, parameters). A redelivered message
finds it and only publishes again. The join of a stage is a count of these documents: whoever finishes the last
unit sees all of them, and a crash before it could say so is healed by the redelivery, which counts again.

A deleted job leaves a tombstone in the same collection, so one look tells both.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import BaseModel

from shared.database import Database, Document, DuplicateKeyError, translated
from shared.events import Message, Stage
from shared.messaging.delivery import JobGoneError
from shared.storage import ObjectStore

R = TypeVar("R", bound=BaseModel)

# Of many units the number is asked first: fetching all results after every unit would cost their square.
FEW = 4


class Checkpoints:
    """The checkpoints of one stage in its service's database, and the objects under that stage's prefix."""

    def __init__(self, database: Database, store: ObjectStore, stage: Stage) -> None:
        self._documents = database["checkpoints"]
        self._store = store
        self._stage = stage

    async def prepare(self) -> None:
        """Create the indexes that the join and the removal use."""
        with translated():
            await self._documents.create_index("group")
            await self._documents.create_index("job_id")

    def _group(self, message: Message) -> str:
        return f"{message.job_id}/{self._stage}/{message.parameters.digest()}"

    async def run(self, message: Message, unit: str, compute: Callable[[], Awaitable[R]], kind: type[R]) -> R:
        """The result of `unit`: the one kept, or what `compute` returns now.

        Raises JobGoneError when the job was deleted before or meanwhile; what `compute` stored is removed then.
        """
        group = self._group(message)
        key, tombstone = f"{group}/{unit}", _tombstone(message.job_id)
        with translated():
            found = {item["_id"]: item async for item in self._documents.find({"_id": {"$in": [key, tombstone]}})}
        if tombstone in found:
            raise JobGoneError(message.job_id)
        if key in found:
            return kind.model_validate(found[key]["result"])
        result = await compute()
        document: Document = {
            "_id": key,
            "group": group,
            "job_id": message.job_id,
            "unit": unit,
            "result": result.model_dump(mode="json"),
            "finished_at": datetime.now(UTC),
        }
        with translated():
            try:
                await self._documents.insert_one(document)
            except DuplicateKeyError:  # a second delivery was faster; its result is the one that was published
                kept = await self._documents.find_one({"_id": key})
                if kept is not None:
                    return kind.model_validate(kept["result"])
        if await self.is_gone(message.job_id):
            await self.forget(message.job_id)
            raise JobGoneError(message.job_id)
        return result

    async def results(self, message: Message, units: Sequence[str], kind: type[R]) -> list[R] | None:
        """The results of `units` in that order, or None while one is missing."""
        group = self._group(message)
        keys = [f"{group}/{unit}" for unit in units]
        with translated():
            if len(keys) > FEW and await self._documents.count_documents({"group": group}) < len(keys):
                return None
            found = {item["_id"]: item["result"] async for item in self._documents.find({"_id": {"$in": keys}})}
        if len(found) < len(set(keys)):
            return None
        return [kind.model_validate(found[key]) for key in keys]

    async def is_gone(self, job_id: str) -> bool:
        """Whether the job was deleted."""
        with translated():
            return await self._documents.find_one({"_id": _tombstone(job_id)}) is not None

    async def forget(self, job_id: str) -> None:
        """Remember that a job is gone, and remove its checkpoints and its objects. Safe to repeat.

        The tombstone comes first: once it stands, no unit begins to write for the job.
        """
        now = datetime.now(UTC)
        with translated():
            await self._documents.update_one({"_id": _tombstone(job_id)}, {"$set": {"deleted_at": now}}, upsert=True)
            await self._documents.delete_many({"job_id": job_id})
        await self._store.delete_all(f"{self._stage}/{job_id}/")


def _tombstone(job_id: str) -> str:
    return f"{job_id}/deleted"
