"""Checkpoints: a unit of work is computed once, whatever is delivered twice (PIP-1).

A service keeps one document a job. Each finished unit is one atomic write into it, under a key of (parameters, unit);
a redelivered message finds it there and only publishes again. The join of a stage is a look at this document: whoever
finishes the last unit sees all of them, and a crash before it could say so is healed by the redelivery, which looks
again. A deleted job leaves a document that says so, and the same atomic write refuses to add to it. The document also
knows which run of the job was cancelled: whoever computes a unit looks every second whether it is still wanted.
"""

import asyncio
import contextlib
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from opentelemetry.trace import SpanContext
from pydantic import BaseModel, ValidationError

from shared.database import Database, Document, DuplicateKeyError, translated, written
from shared.errors import DatabaseError, OtherVersionError
from shared.events import Message, Stage
from shared.messaging.delivery import JobGoneError, RunCancelledError
from shared.storage import ObjectStore
from shared.telemetry import gathering, span, span_contexts, traceparent, unit_at_work

R = TypeVar("R", bound=BaseModel)

LOOK_EVERY_S = 1.0
_MARKS = {"deleted_at": 1, "cancelled_run": 1}
_NUMBERS = re.compile(r"(-of-run)?-\d+")
_TRIES = 20  # a write is only tried again when two deliveries made the job's document at the same moment


def read_stored(kind: type[R], stored: Document | bytes) -> R:
    """A result that a service has stored, as an object or as its JSON. Raises OtherVersionError."""
    try:
        return kind.model_validate_json(stored) if isinstance(stored, bytes) else kind.model_validate(stored)
    except ValidationError as error:  # left alone it would say that the message at hand is malformed
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        raise OtherVersionError(f"{kind.__name__}: {faults[:3]}") from error


class Finished:
    """The finished units of a message's job, as they were at one moment."""

    def __init__(self, message: Message, results: Document, spans: Document | None = None) -> None:
        self._message = message
        self._results = results
        self._spans = spans or {}

    def __contains__(self, unit: str) -> bool:
        return unit in self._results

    def get(self, unit: str, kind: type[R]) -> R | None:
        """The result of `unit`, or None while it is not finished. A message that an earlier run left is of this run.

        Raises OtherVersionError.
        """
        if unit not in self._results:
            return None
        result = read_stored(kind, self._results[unit])
        return result.model_copy(update=self._message.job()) if isinstance(result, Message) else result

    def get_all(self, units: Sequence[str], kind: type[R]) -> dict[str, R] | None:
        """The results of `units` by their names, or None while one is not finished."""
        if not self._results.keys() >= set(units):
            return None
        return {unit: result for unit in units if (result := self.get(unit, kind)) is not None}

    def spans(self, units: Sequence[str]) -> list[SpanContext]:
        """The spans in which `units` were computed, as far as they are known."""
        return span_contexts(self._spans[unit] for unit in units if unit in self._spans)


def _kind(unit: str) -> str:
    """The name of `unit` without its numbers: what spans are named after."""
    return _NUMBERS.sub("", unit)


@dataclass
class _Turn:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    takers: int = 0


class Checkpoints:
    """The checkpoints of one stage in its service's database, and the objects under that stage's prefix."""

    def __init__(self, database: Database, store: ObjectStore, stage: Stage) -> None:
        self._jobs = database["checkpoints"]
        self._store = store
        self._stage = stage
        self._turns: defaultdict[tuple[str, str, str], _Turn] = defaultdict(_Turn)

    async def run(
        self,
        message: Message,
        unit: str,
        compute: Callable[[], Awaitable[R]],
        kind: type[R],
        *,
        known: Finished | None = None,
        joins: Sequence[str] = (),
    ) -> R:
        """The result of `unit`: the one kept, or what `compute` returns now. `known` saves a look, if one was just had.

        A unit that `joins` others has a span of its own, which links to theirs. What is stored and written to keep the
        result is one span.

        Raises JobGoneError when the job was deleted before or meanwhile, and removes what `compute` stored, now or in a
        process that was killed; RunCancelledError when the message's run was cancelled. `compute` is cancelled then.
        """
        try:
            with unit_at_work(unit):
                async with self._turn(message, unit):
                    known = known or await self.finished(message)
                    kept = known.get(unit, kind)
                    if kept is not None:
                        return kept
                    joining = span(f"join {_kind(unit)}", links=known.spans(joins)) if joins else nullcontext()
                    with joining, gathering(f"checkpoint {_kind(unit)}"):
                        result = await self._while_wanted(message, compute)
                        return await self._keep(message, unit, result, kind)
        except RunCancelledError:
            raise
        except JobGoneError:
            await self.forget(message.job_id)
            raise

    @asynccontextmanager
    async def _turn(self, message: Message, unit: str) -> AsyncIterator[None]:
        """One delivery of a unit at a time: the second finds what the first has computed."""
        key = (message.job_id, message.parameters.digest(), unit)
        turn = self._turns[key]
        turn.takers += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.takers -= 1
            if not turn.takers:
                del self._turns[key]

    async def _while_wanted(self, message: Message, compute: Callable[[], Awaitable[R]]) -> R:
        computing = asyncio.ensure_future(compute())
        try:
            while not (await asyncio.wait([computing], timeout=LOOK_EVERY_S))[0]:
                with contextlib.suppress(DatabaseError):  # nobody can say: go on
                    await self._document(message, _MARKS)
            if not computing.cancelled() and computing.exception() is not None:
                # What failed may have failed because somebody removed what it was reading.
                await self._document(message, _MARKS)
            return computing.result()
        finally:
            if not computing.done():
                computing.cancel()
                await asyncio.wait([computing])

    async def finished(self, message: Message) -> Finished:
        """What is finished of the message's job and parameters.

        Raises JobGoneError for a deleted job and RunCancelledError for a cancelled run.
        """
        job = await self._document(message)
        digest = message.parameters.digest()
        return Finished(message, job.get("results", {}).get(digest, {}), job.get("spans", {}).get(digest))

    async def _document(self, message: Message, fields: Document | None = None) -> Document:
        """The job's document, empty where there is none yet. Raises as `finished` does."""
        with translated():
            job: Document = await self._jobs.find_one({"_id": message.job_id}, fields) or {}
        if "deleted_at" in job:
            raise JobGoneError(message.job_id)
        if job.get("cancelled_run", 0) >= message.run:
            raise RunCancelledError(f"run {message.run} of {message.job_id}")
        return job

    async def _keep(self, message: Message, unit: str, result: R, kind: type[R]) -> R:
        """One write that adds the result unless the unit has one, which is returned then, or the job is deleted."""
        place = f"results.{message.parameters.digest()}.{unit}"
        kept_with: Document = {"changed_at": datetime.now(UTC)}
        if here := traceparent():
            kept_with[f"spans.{message.parameters.digest()}.{unit}"] = here
        for _ in range(_TRIES):
            try:
                with written("update", self._jobs):
                    await self._jobs.update_one(
                        {"_id": message.job_id, "deleted_at": {"$exists": False}, place: {"$exists": False}},
                        {"$set": {place: result.model_dump(mode="json"), **kept_with}},
                        upsert=True,
                    )
            except DuplicateKeyError:  # there is a document that the filter does not match, or was made just now
                kept = (await self.finished(message)).get(unit, kind)
                if kept is not None:
                    return kept
            else:
                return result
        raise DatabaseError(f"the checkpoint {unit} of {message.job_id} could not be written")

    async def cancel(self, message: Message) -> None:
        """Remember that this run of the job, and all before it, are not wanted. Safe to repeat, in any order."""
        for _ in range(_TRIES):
            try:
                with written("update", self._jobs):
                    await self._jobs.update_one(
                        {"_id": message.job_id}, {"$max": {"cancelled_run": message.run}}, upsert=True
                    )
            except DuplicateKeyError:  # of two that make the document one is late
                continue
            return
        raise DatabaseError(f"{message.job_id} could not be marked as cancelled")

    async def forget(self, job_id: str) -> None:
        """Remember that a job is gone, and remove its checkpoints and its objects. Safe to repeat.

        The mark comes first: once it stands, no unit begins to write for the job.
        """
        for _ in range(_TRIES):
            try:
                with written("update", self._jobs):
                    await self._jobs.update_one(
                        {"_id": job_id},
                        {"$set": {"deleted_at": datetime.now(UTC)}, "$unset": {"results": "", "spans": ""}},
                        upsert=True,
                    )
                break
            except DuplicateKeyError:
                continue
        else:
            raise DatabaseError(f"{job_id} could not be marked as deleted")
        await self._store.delete_all(f"{self._stage}/{job_id}/")
