"""Everything the gateway knows about jobs: one document each, built from events alone.

Additions are idempotent and commute (`facts.py`). A document is read, added to and written back with the view that is
derived from it, on the condition that nobody has changed it since it was read: no addition is lost, and an older view
can never replace a newer one. Two database commands an event.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.gateway.jobs.facts import Addition, order_key, submission
from services.gateway.jobs.view import DELETED, STATUSES, Job, Status, derive
from services.gateway.jobs.wakeups import Wakeups
from shared.database import Collection, Database, Document, DuplicateKeyError, translated
from shared.errors import DatabaseError, InvalidMessageError
from shared.events import JobSubmitted

_TRIES = 100  # each lost race means that somebody else's write succeeded
PENDING_SUBMISSION = "submission"
PENDING_DELETION = "deletion"


@dataclass(frozen=True)
class Page:
    """A page of jobs, newest first; `cursor` continues after it."""

    jobs: tuple[Job, ...]
    cursor: str | None


class ReadModel:
    """The jobs as their owners see them."""

    def __init__(self, database: Database, wakeups: Wakeups) -> None:
        self._jobs: Collection = database["jobs"]
        self._wakeups = wakeups

    async def prepare(self) -> None:
        """Create the indexes of the listings and of the sweeper."""
        with translated():
            await self._jobs.create_index([("owner", 1), ("order", -1)])
            await self._jobs.create_index([("owner", 1), ("status", 1), ("order", -1)])
            await self._jobs.create_index([("pending", 1)], sparse=True)

    async def add(self, job_id: str, addition: Addition, *, settles: str | None = None) -> None:
        """Learn something about a job, known or not. Nothing happens to a deleted one.

        `settles` is what the addition shows to have been told (see `settle`).
        """
        for _ in range(_TRIES):
            document = await self.document(job_id)
            if document is not None and document["status"] == DELETED:
                return
            before: Document = document or {"_id": job_id, "facts": {}, "revision": 0}
            after = addition.to(before)
            settled = settles is not None and before.get("pending") == settles
            if after == before and not settled and document is not None:
                return
            if await self._write(before, after, new=document is None, settled=settled):
                self._wakeups.wake(job_id)
                return
        raise DatabaseError(f"{job_id} changes too often")

    async def _write(self, before: Document, after: Document, *, new: bool, settled: bool) -> bool:
        """Write `after` with its view unless somebody else wrote since `before` was read; whether it was written."""
        view = derive(after["_id"], after["facts"])
        known: Document = {name: after[name] for name in ("owner", "order", "facts") if name in after}
        known |= {"view": view.model_dump(mode="json"), "status": view.status}
        revision = before["revision"]
        with translated():
            if new:
                try:
                    await self._jobs.insert_one({"_id": after["_id"], **known, "revision": revision + 1})
                except DuplicateKeyError:
                    return False
                return True
            if STATUSES.index(view.status) < STATUSES.index(before["status"]):
                raise InvalidMessageError(f"the status of {after['_id']} would move back")
            update: Document = {"$set": known, "$inc": {"revision": 1}}
            if settled:
                update["$unset"] = {"pending": "", "pending_since": ""}
            result = await self._jobs.update_one({"_id": after["_id"], "revision": revision}, update)
        return bool(result.modified_count)

    async def _exists(self, selector: Document) -> bool:
        with translated():
            return await self._jobs.find_one(selector, {"_id": 1}) is not None

    async def insert(self, event: JobSubmitted, *, trace_id: str | None, traceparent: str | None) -> Job:
        """Accept a job that is not published yet. Raises DuplicateKeyError when there is one with its id."""
        facts: Document = {"submitted": submission(event)} | ({"trace_id": trace_id} if trace_id else {})
        view = derive(event.job_id, facts)
        document: Document = {
            "_id": event.job_id,
            "owner": event.owner,
            "order": order_key(event.submitted_at, event.job_id),
            "revision": 1,
            "status": view.status,
            "facts": facts,
            "view": view.model_dump(mode="json"),
            "pending": PENDING_SUBMISSION,
            "pending_since": datetime.now(UTC),
            "traceparent": traceparent,
        }
        with translated():
            await self._jobs.insert_one(document)
        return _job(document)

    async def document(self, job_id: str) -> Document | None:
        """Everything kept about a job, also about a deleted one."""
        with translated():
            document: Document | None = await self._jobs.find_one({"_id": job_id})
        return document

    async def get(self, owner: str, job_id: str) -> Job | None:
        """The job, if it is the owner's."""
        document = await self.document(job_id)
        return _job(document) if document and document.get("owner") == owner else None

    async def artifact(self, owner: str, job_id: str, name: str) -> Document | None:
        """The artefact `name` of an owner's job: `{"name", "object"}` and the job's `source`."""
        document = await self.document(job_id)
        if document is None or document.get("owner") != owner:
            return None
        facts = document["facts"]
        rendered = facts.get("rendered") or facts.get("rendered_partly") or {}
        for artifact in rendered.get("artifacts", ()):
            if artifact["name"] == name:
                return {**artifact, "source": document["view"]["source"]["name"]}
        return None

    async def page(self, owner: str, *, status: Status | None, before: str | None, limit: int) -> Page:
        """At most `limit` jobs of `owner`, newest first, those after `before`. One query."""
        selector: Document = {"owner": owner}
        if status:
            selector["status"] = status
        if before:
            selector["order"] = {"$lt": before}
        fields = {"view": 1, "revision": 1, "order": 1}
        with translated():
            found = self._jobs.find(selector, fields).sort("order", -1).limit(limit + 1)
            documents: list[Document] = await found.to_list(limit + 1)
        shown = documents[:limit]
        more = len(documents) > limit
        return Page(tuple(_job(document) for document in shown), shown[-1]["order"] if more else None)

    async def forget(self, job_id: str, *, pending: bool) -> None:
        """Leave nothing of a job but that it is deleted. `pending` asks the sweeper to see to the rest."""
        document = await self.document(job_id)
        if document is not None and document["status"] == DELETED:
            return
        gone = {
            "owner": "",
            "order": "",
            "facts": "",
            "view": "",
            "pending": "",
            "pending_since": "",
            "traceparent": "",
        }
        kept: Document = {"status": DELETED, "deleted_at": datetime.now(UTC)}
        if document is not None and "owner" in document:
            kept["deleted_for"] = document["owner"]
        if pending:
            kept |= {"pending": PENDING_DELETION, "pending_since": kept["deleted_at"]}
            del gone["pending"], gone["pending_since"]
        update = {"$set": kept, "$unset": gone, "$inc": {"revision": 1}}
        for _ in range(_TRIES):
            try:
                with translated():
                    await self._jobs.update_one({"_id": job_id, "status": {"$ne": DELETED}}, update, upsert=True)
                break
            except DuplicateKeyError:
                if not await self._exists({"_id": job_id, "status": {"$ne": DELETED}}):
                    break
        self._wakeups.wake(job_id)

    async def pending(self, kind: str, *, since_before: datetime, limit: int = 100) -> list[Document]:
        """Documents of jobs whose submission or deletion nobody has been told of since then."""
        with translated():
            found: list[Any] = await self._jobs.find({"pending": kind}).to_list(limit)
        return [document for document in found if document["pending_since"] < since_before]

    async def settle(self, job_id: str, kind: str) -> None:
        """Remember that it was told."""
        with translated():
            await self._jobs.update_one(
                {"_id": job_id, "pending": kind}, {"$unset": {"pending": "", "pending_since": ""}}
            )


def _job(document: Document) -> Job:
    return Job.model_validate({**document["view"], "revision": document["revision"]})
