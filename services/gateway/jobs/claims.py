"""Which gateway publishes a waiting job: of several that see it, the one whose claim stands in its document.

A claim holds for a short time, so that the jobs of a gateway that was killed are published by the next one.
"""

import uuid
from datetime import UTC, datetime, timedelta

from services.gateway.jobs.document import CLAIM, PENDING_SUBMISSION
from shared.database import Collection, Document, written

# From a job's first write to its publication take milliseconds; a publication waits ten seconds for the broker.
_NEW = timedelta(seconds=3)
_PUBLISHING = timedelta(seconds=15)


class Claims:
    """The claims of this process."""

    def __init__(self, jobs: Collection) -> None:
        self._jobs = jobs
        self._holder = uuid.uuid4().hex

    def of_new(self, waiting: Document) -> Document:
        """The fields that claim a job that is written now; `waiting` are those that say so."""
        return {CLAIM: self._claim(waiting, _NEW)}

    async def take(self, document: Document) -> bool:
        """Claim a waiting job; whether this process may publish it. Raises DatabaseError."""
        now = datetime.now(UTC)
        waits = {name: document[name] for name in ("_id", "pending", "pending_since")}
        held: Document = document.get(CLAIM) or {}
        # A claim of an earlier wait says nothing about this one.
        if held.get("since") == document["pending_since"] and held["until"] > now:
            return bool(held["by"] == self._holder)
        free = {CLAIM: document[CLAIM]} if CLAIM in document else {CLAIM: {"$exists": False}}
        with written("update", self._jobs):
            claimed = await self._jobs.update_one(
                {**waits, "pending": PENDING_SUBMISSION, **free},
                {"$set": {CLAIM: self._claim(document, _PUBLISHING)}},
            )
        return bool(claimed.modified_count)

    def _claim(self, document: Document, how_long: timedelta) -> Document:
        until = datetime.now(UTC) + how_long
        return {"by": self._holder, "since": document["pending_since"], "until": until}
