"""Publishes accepted jobs: a few of each owner at a time, so that nobody's hundreds stand before somebody's first.

The others wait in the database, not in queues. Whoever ends a job lets the next in; the sweeper does it where the
process that should have was killed.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from opentelemetry import context, trace
from opentelemetry.context import Context

from services.gateway.jobs.derive import run_of
from services.gateway.jobs.outlook import Outlook
from services.gateway.jobs.read_model import ReadModel
from shared.database import Document
from shared.errors import BrokerError, DatabaseError
from shared.events import JobSubmitted, SubmittedSource
from shared.messaging.job_trace import job_context
from shared.messaging.publish import Publish, message_id
from shared.telemetry import work_on

log = structlog.get_logger()

PUBLISH_S = 3.0  # longer is the sweeper's business, not the caller's


class Admission:
    """Lets at most `at_once` jobs of an owner be under way.

    Of several gateways that admit at the same moment each publishes the jobs that it could claim.
    """

    def __init__(self, read_model: ReadModel, outlook: Outlook, publish: Publish, *, at_once: int) -> None:
        self._read_model = read_model
        self._outlook = outlook
        self._publish = publish
        self._at_once = at_once
        self._turn = asyncio.Lock()
        self._owners_waiting: set[str] = set()
        self._due: set[str] = set()
        self._working: asyncio.Task[None] | None = None

    async def admit(self, owner: str) -> None:
        """Publish the owner's oldest waiting jobs while there is room. Raises BrokerError and DatabaseError."""
        async with self._turn:
            self._owners_waiting.add(owner)  # until it is known that nobody waits
            room = self._at_once - await self._outlook.active(owner, self._at_once)
            if room <= 0:
                return
            waiting = await self._outlook.waiting(owner, room + 1)
            for document in waiting[:room]:
                with trace_of(document):
                    if await self._read_model.claims.take(document):
                        await self.announce(document)
                        await self._read_model.settle(document)
            if len(waiting) <= room:
                self._owners_waiting.discard(owner)

    async def admit_soon(self, owner: str) -> None:
        """Admit now if that is quick. One works for all who ask meanwhile: a hundred submissions cost no hundred looks.

        What cannot be done now, the sweeper does.
        """
        self._due.add(owner)
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._admit_due())
            await asyncio.wait([self._working], timeout=PUBLISH_S)

    async def stop(self) -> None:
        """Give up what still goes on behind a caller who waits no more; the sweeper of the next start does it."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait([self._working])

    async def _admit_due(self) -> None:
        while self._due:
            owner = self._due.pop()
            try:
                await self.admit(owner)
            except (BrokerError, DatabaseError) as error:
                log.warning("jobs are published later", owner=owner, error=str(error)[:300])

    async def ended(self, owner: str) -> None:
        """A job of `owner` has ended: if others wait, the next may come in."""
        if owner in self._owners_waiting:
            await self.admit_soon(owner)

    async def announce(self, document: Document) -> None:
        """Publish a kept job, in its own trace; published twice, it is one job all the same. Raises BrokerError."""
        event = submission_of(document)
        with trace_of(document):
            await self._publish(event, message_id=message_id(event))


def submission_of(document: Document) -> JobSubmitted:
    """The event of a kept job's present run."""
    submitted = document["facts"]["submitted"]
    return JobSubmitted(
        job_id=document["_id"],
        run=run_of(document["facts"]),
        owner=document["owner"],
        parameters=submitted["parameters"],
        source=SubmittedSource(
            key=submitted["key"], name=submitted["name"], sha256=submitted["sha256"], size=submitted["size"]
        ),
        submitted_at=submitted["at"],
    )


@contextmanager
def trace_of(document: Document) -> Iterator[None]:
    """Work inside the trace that the job began in; log lines and spans say which job that is.

    What is in that trace already stays where it is.
    """
    began = job_context(document["_id"], document.get("traceparent"))
    token = context.attach(context.get_current() if _same_trace(began) else began)
    try:
        with work_on(job_id=document["_id"], owner=document.get("owner"), run=run_of(document.get("facts", {}))):
            yield
    finally:
        context.detach(token)


def _same_trace(other: Context) -> bool:
    ids = {trace.get_current_span(one).get_span_context().trace_id for one in (other, None)}
    return len(ids) == 1
