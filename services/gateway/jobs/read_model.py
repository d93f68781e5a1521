"""Everything the gateway knows about jobs: one document each, built from events alone.

Additions are idempotent and commute (`facts.py`). A document is written back with the view that is derived from it, on
the condition that nobody has changed it since it was read. What comes for one job at once is written at once.
"""

import copy
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from services.gateway.jobs.claims import Claims
from services.gateway.jobs.derive import derive, is_cancelled, rendered_files, run_of
from services.gateway.jobs.document import (
    CLAIM,
    KEPT,
    PENDING,
    PENDING_CANCELLATION,
    PENDING_DELETION,
    PENDING_SUBMISSION,
    changes,
    check_direction,
    pending,
    settled,
    stored,
)
from services.gateway.jobs.ended import ENDS
from services.gateway.jobs.facts import Addition, addition_of_replay, order_key, submission
from services.gateway.jobs.together import Together
from services.gateway.jobs.view import DELETED, TERMINAL, UNDER_WAY, Job, Status
from services.gateway.jobs.wakeups import Wakeups
from services.gateway.trace_url import link_to_trace
from shared.database import Collection, Database, Document, DuplicateKeyError, translated, written
from shared.errors import DatabaseError
from shared.events import JobSubmitted

# So many documents of jobs under way, those written last; each grows with the units of its job.
_REMEMBERED = 64
_TRIES = 100  # each lost race means that somebody else's write succeeded
Change = Callable[[Document], Document | None]  # of a document that it leaves as it is


@dataclass(frozen=True)
class _News:
    addition: Addition
    published_run: int


@dataclass(frozen=True)
class Page:
    """A page of jobs, newest first; `cursor` continues after it."""

    jobs: tuple[Job, ...]
    cursor: str | None


class ReadModel:
    """The jobs as their owners see them. `trace_url`: where their traces can be seen, with `{trace_id}` in it."""

    def __init__(self, database: Database, wakeups: Wakeups, *, trace_url: str | None = None) -> None:
        self._jobs: Collection = database["jobs"]
        self.claims = Claims(self._jobs)
        self._wakeups = wakeups
        self._trace_url = trace_url
        self._news: Together[_News, Document | None] = Together(self._add)
        self._recent: OrderedDict[str, Document] = OrderedDict()

    async def prepare(self) -> None:
        """Create the indexes of the listings, of admission and of the sweepers."""
        with translated():
            await self._jobs.create_index([("owner", 1), ("order", -1)])
            await self._jobs.create_index([("owner", 1), ("status", 1), ("order", -1)])
            await self._jobs.create_index([("pending", 1), ("owner", 1), ("order", 1)], sparse=True)
            await self._jobs.create_index([(f"{ENDS}.due", 1)], sparse=True)
            await self._jobs.create_index([("owner", 1), ("active", 1)])
            await self._jobs.create_index([("active", 1), ("changed_at", 1)])
            await self._jobs.create_index([("status", 1), ("changed_at", 1)])

    async def add(self, job_id: str, addition: Addition, *, published_run: int = 0) -> Document | None:
        """Learn something about a job, known or not; the job's document afterwards, None for a deleted one.

        `published_run`: the run whose submission the addition shows to have been published.
        """
        return await self._news.ask(job_id, _News(addition, published_run))

    async def _add(self, job_id: str, news: Sequence[_News]) -> Document | None:
        def change(document: Document) -> Document:
            after = document
            for one in news:
                after = one.addition.to(after)
                if after.get("pending") == PENDING_SUBMISSION and one.published_run >= run_of(after["facts"]):
                    after = settled(after)
            return after | {"nudges": 0} if after["facts"] != document["facts"] else after

        return await self._change(job_id, change, recent=self._recent.get(job_id))

    async def _change(self, job_id: str, change: Change, *, recent: Document | None = None) -> Document | None:
        """Write what `change` makes of the job's document, unless that is None; the document as it is then.

        None for a deleted job. `change` may be called several times, with documents that others have changed. With
        `recent`, a document of which it is not sure that it is the newest, it begins without reading; a condition on
        the revision finds out.
        """
        for _ in range(_TRIES):
            document, recent = recent or await self.document(job_id), None
            if document is not None and document["status"] == DELETED:
                return None
            before: Document = document or {"_id": job_id, "facts": {}, "revision": 0}
            after = change(before)
            if after is None or (after == before and document is not None):
                return document
            newest = await self._write(before, after, new=document is None)
            self._remember(job_id, newest)
            if newest is not None:
                self._wakeups.wake(job_id)
                return newest
        raise DatabaseError(f"{job_id} changes too often")

    def _remember(self, job_id: str, document: Document | None) -> None:
        self._recent.pop(job_id, None)
        if document is not None and document["status"] in UNDER_WAY:
            self._recent[job_id] = document
            if len(self._recent) > _REMEMBERED:
                self._recent.popitem(last=False)

    async def _write(self, before: Document, after: Document, *, new: bool) -> Document | None:
        """Write `after` with its view unless somebody else wrote since `before` was read; what was written."""
        known = stored(after, before)
        revision = before["revision"]
        document = {"_id": after["_id"], **known, "revision": revision + 1}
        with written("insert" if new else "update", self._jobs):
            if new:
                try:
                    await self._jobs.insert_one(dict(document))
                except DuplicateKeyError:
                    return None
                return document
            check_direction(before, document)
            update: Document = {**changes(before, known), "$inc": {"revision": 1}}
            result = await self._jobs.update_one({"_id": after["_id"], "revision": revision}, update)
        return document if result.modified_count else None

    async def _exists(self, selector: Document) -> bool:
        with translated():
            return await self._jobs.find_one(selector, {"_id": 1}) is not None

    async def insert(self, event: JobSubmitted, *, trace_id: str | None, traceparent: str | None) -> Job:
        """Accept a job that is not published yet. Raises DuplicateKeyError when there is one with its id."""
        facts: Document = {"submitted": submission(event), "run": event.run}
        waiting = pending(PENDING_SUBMISSION)
        document: Document = {
            "_id": event.job_id,
            "owner": event.owner,
            "order": order_key(event.submitted_at, event.job_id),
            "facts": facts | ({"trace_id": trace_id} if trace_id else {}),
            "traceparent": traceparent,
            **waiting,
            **self.claims.of_new(waiting),
        }
        document = {"_id": event.job_id, **stored(document), "revision": 1}
        with written("insert", self._jobs):
            await self._jobs.insert_one(dict(document))
        return self.shown(document)

    async def cancel(self, job_id: str) -> bool:
        """Cancel the present run unless it has ended; whether it is cancelled now. It stays so whatever comes."""

        def change(document: Document) -> Document | None:
            if document.get("status") in TERMINAL or "owner" not in document:
                return None
            document = copy.deepcopy(document)
            document["facts"]["cancelled_run"] = run_of(document["facts"])
            return document | pending(PENDING_CANCELLATION)

        document = await self._change(job_id, change)
        return document is not None and is_cancelled(document["facts"])

    async def retry(self, job_id: str) -> bool:
        """Begin a further run of a job that ended without being done; whether there was one to begin."""
        begun = False

        def change(document: Document) -> Document | None:
            nonlocal begun
            begun = "submitted" in document["facts"] and derive(job_id, document["facts"]).retryable
            if not begun:
                return None
            document = copy.deepcopy(document)
            document["facts"]["run"] = run_of(document["facts"]) + 1
            return document | pending(PENDING_SUBMISSION)

        return await self._change(job_id, change) is not None and begun

    async def replayed(self, job_id: str, letter: str, replays: int) -> None:
        """A dead letter of a job, if it is one, goes to work again."""
        if await self.document(job_id) is not None:
            await self.add(job_id, addition_of_replay(letter, replays))

    async def nudge(self, job_id: str, revision: int) -> Document | None:
        """Count one more try to get a silent job going; None when it has changed since `revision`."""
        found: Document | None = None

        def change(document: Document) -> Document | None:
            nonlocal found
            found = None
            if document.get("revision") != revision:
                return None
            found = document | {"nudges": document.get("nudges", 0) + 1}
            return found

        return found if await self._change(job_id, change) is not None else None

    async def document(self, job_id: str) -> Document | None:
        """Everything kept about a job, also about a deleted one."""
        with translated():
            document: Document | None = await self._jobs.find_one({"_id": job_id})
        return document

    async def is_deleted(self, job_id: str) -> bool:
        """Whether this was a job that its owner deleted."""
        return await self._exists({"_id": job_id, "status": DELETED})

    async def get(self, owner: str, job_id: str) -> Job | None:
        """The job, if it is the owner's."""
        document = await self.document(job_id)
        return self.shown(document) if document and document.get("owner") == owner else None

    async def artifact(self, owner: str, job_id: str, name: str) -> Document | None:
        """The artefact `name` of an owner's job: `{"name", "object"}` and the job's `source`."""
        document = await self.document(job_id)
        if document is None or document.get("owner") != owner:
            return None
        for artifact in rendered_files(document["facts"]).get("artifacts", ()):
            if artifact["name"] == name:
                return {**artifact, "source": document["view"]["source"]["name"]}
        return None

    async def page(self, owner: str, *, status: Status | None, before: str | None, limit: int) -> Page:
        """At most `limit` jobs of `owner`, newest first, those after `before`. One query."""
        selector: Document = {"owner": owner} | ({"status": status} if status else {})
        selector |= {"order": {"$lt": before}} if before else {}
        with translated():
            found = self._jobs.find(selector, {"view": 1, "revision": 1, "order": 1}).sort("order", -1).limit(limit + 1)
            documents: list[Document] = await found.to_list(limit + 1)
        shown, more = documents[:limit], len(documents) > limit
        return Page(tuple(self.shown(document) for document in shown), shown[-1]["order"] if more else None)

    async def forget(self, job_id: str, *, untold: bool) -> None:
        """Leave nothing of a job but that it is deleted. `untold` asks the sweeper to see to the rest."""
        self._remember(job_id, None)
        document = await self.document(job_id)
        if document is not None and document["status"] == DELETED:
            return
        gone = dict.fromkeys((*KEPT, "view", "active", "changed_at"), "")
        kept: Document = {"status": DELETED, "deleted_at": datetime.now(UTC)}
        if document is not None and "owner" in document:
            kept["deleted_for"] = document["owner"]
        if untold:
            kept |= {"pending": PENDING_DELETION, "pending_since": kept["deleted_at"]}
            del gone["pending"], gone["pending_since"]
        update = {"$set": kept, "$unset": gone, "$inc": {"revision": 1}}
        for _ in range(_TRIES):
            try:
                with written("update", self._jobs):
                    await self._jobs.update_one({"_id": job_id, "status": {"$ne": DELETED}}, update, upsert=True)
                break
            except DuplicateKeyError:
                if not await self._exists({"_id": job_id, "status": {"$ne": DELETED}}):
                    break
        self._wakeups.wake(job_id)

    async def forget_unowned(self, *, since_before: datetime) -> int:
        """Forget jobs of which something was heard, but never their submission; how many there were."""
        selector = {"owner": {"$exists": False}, "status": {"$ne": DELETED}, "changed_at": {"$lt": since_before}}
        with translated():
            result = await self._jobs.delete_many(selector)
        return int(result.deleted_count)

    async def settle(self, document: Document) -> None:
        """Remember that what was pending in `document` has been told, unless something else is by now."""
        self._remember(document["_id"], None)
        still = {"_id": document["_id"], **{name: document[name] for name in PENDING}}
        gone = {"$unset": dict.fromkeys((*PENDING, CLAIM), "")}
        with written("update", self._jobs):
            if document["pending"] == PENDING_SUBMISSION:
                under_way = still | {"status": {"$in": list(UNDER_WAY)}}
                await self._jobs.update_one(under_way, {**gone, "$set": {"active": True}})
            await self._jobs.update_one(still, gone)

    async def told(self, document: Document) -> None:
        """Remember that the ends in `document` have been told, unless there is a further one by now."""
        self._remember(document["_id"], None)
        with translated():
            same = {"_id": document["_id"], f"{ENDS}.last": document[ENDS]["last"]}
            await self._jobs.update_one(same, {"$unset": {ENDS: ""}})

    def shown(self, document: Document) -> Job:
        """The view in a job's document."""
        trace_url = link_to_trace(self._trace_url, document["view"].get("trace_id"))
        return Job.model_validate({**document["view"], "revision": document["revision"], "trace_url": trace_url})
