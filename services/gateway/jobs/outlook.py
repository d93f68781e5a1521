"""Which jobs admission and the sweepers have to see to."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from services.gateway.jobs.document import PENDING_SUBMISSION
from services.gateway.jobs.ended import ENDS
from services.gateway.jobs.view import DELETED, Status
from shared.database import Collection, Database, Document, translated


class Outlook:
    """Looks at the jobs' documents; `ReadModel` changes them. Every method may raise DatabaseError."""

    def __init__(self, database: Database) -> None:
        self._jobs: Collection = database["jobs"]

    async def untold(self, kind: str, *, since_before: datetime, limit: int = 100) -> list[Document]:
        """Documents of jobs of whose cancellation or deletion nobody has been told since then."""
        with translated():
            found: list[Any] = await self._jobs.find({"pending": kind}).to_list(limit)
        return [document for document in found if document["pending_since"] < since_before]

    async def untold_ends(self, *, since_before: datetime, limit: int = 100) -> list[Document]:
        """Documents of jobs of whose latest end nobody has been told since then."""
        with translated():
            found: list[Any] = await self._jobs.find({f"{ENDS}.due": True}).to_list(limit)
        return [document for document in found if document[ENDS]["since"] < since_before]

    async def waiting(self, owner: str, limit: int) -> list[Document]:
        """Jobs of `owner` that wait to be published, those of the longest wait first."""
        with translated():
            found = self._jobs.find({"pending": PENDING_SUBMISSION, "owner": owner}).sort("order", 1).limit(limit)
            documents: list[Document] = await found.to_list(limit)
        return documents

    async def waiting_owners(self) -> list[str]:
        """Owners of jobs that wait to be published."""
        # Not `distinct`, for which the embedded database reads every job.
        with translated():
            found: list[Document] = await self._jobs.find({"pending": PENDING_SUBMISSION}, {"owner": 1}).to_list(None)
        return sorted({document["owner"] for document in found})

    async def active(self, owner: str, limit: int) -> int:
        """How many published jobs of `owner` have not ended; `limit` stands for that many or more."""
        with translated():
            found: list[Any] = await self._jobs.find({"owner": owner, "active": True}, {"_id": 1}).to_list(limit)
        return len(found)

    async def silent(self, *, since_before: datetime, limit: int = 1000) -> list[Document]:
        """Published jobs that have not ended and of which nothing was heard since then."""
        return await self._unchanged({"active": True}, since_before, limit)

    async def expired(self, statuses: Iterable[Status], *, since_before: datetime, limit: int = 100) -> list[Document]:
        """Jobs with one of these statuses that have not changed since then."""
        # A query a status: for `$in` the embedded database reads every job.
        return [job for status in statuses for job in await self._unchanged({"status": status}, since_before, limit)]

    async def sources(self, job_ids: Iterable[str]) -> set[str]:
        """The keys of the sources of these jobs, but for deleted ones. One query."""
        selector = {"_id": {"$in": sorted(job_ids)}, "status": {"$ne": DELETED}}
        with translated():
            found: list[Document] = await self._jobs.find(selector, {"facts.submitted.key": 1}).to_list(None)
        return {document["facts"]["submitted"]["key"] for document in found if "submitted" in document["facts"]}

    async def _unchanged(self, selector: Document, since_before: datetime, limit: int) -> list[Document]:
        with translated():
            found: list[Document] = await self._jobs.find({**selector, "changed_at": {"$lt": since_before}}).to_list(
                limit
            )
        return found
