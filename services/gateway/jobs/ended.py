"""The end of a job as a fact for others: `JobEnded`, kept in the job's document until it is published.

It is written whole, together with what ends the job: neither a killed process nor a retry that comes at once loses it.
"""

from datetime import UTC, datetime
from typing import Any

from services.gateway.jobs.derive import Facts, derive, generation_of, rendered_files, run_of
from services.gateway.jobs.view import TERMINAL, Job
from shared.database import Document
from shared.events import JobEnded, JobFault
from shared.messaging.publish import message_id

# Untold ends of a job, oldest first: {"due": True, "since": time, "last": end, "facts": [{"id": ..., "event": ...}]}.
ENDS = "ends"


def ends_of(before: Document, after: Document, view: Job) -> Document | None:
    """What `ENDS` of a document becomes; None while there is nothing to tell.

    `after`, of which `view` is derived, is what `before` becomes. An end is new unless `before` had ended the same way,
    so that jobs that ended before there was `JobEnded` are not told of.
    """
    untold: Document | None = after.get(ENDS)
    if view.status not in TERMINAL or "owner" not in after:
        return untold
    end = _end(after["facts"], view)
    if _end_before(before) == end:
        return untold
    event = _event(after, view)
    fact = {"id": message_id(event, end), "event": event.model_dump(mode="json")}
    earlier = untold["facts"] if untold else []
    return {"due": True, "since": datetime.now(UTC), "last": end, "facts": [*earlier, fact]}


def _end(facts: Facts, view: Job) -> str:
    """What distinguishes an end of the job from its other ends, the same in every gateway.

    A replay ends what a failure ended; what was made or cancelled it leaves as it is, until less is missing.
    """
    replays = generation_of(facts) - run_of(facts) if view.error else 0
    missing = f"-{len(view.missing)}" if view.status == "partial" else ""
    return f"{view.run}.{replays}-{view.status}{missing}"


def _end_before(before: Document) -> str | None:
    if before.get("status") not in TERMINAL or "owner" not in before:
        return None
    return _end(before["facts"], derive(before["_id"], before["facts"]))


def _event(document: Document, view: Job) -> JobEnded:
    told: dict[str, Any] = {
        "job_id": view.job_id,
        "run": view.run,
        "parameters": view.parameters,
        "owner": document["owner"],
        "status": view.status,
        "title": view.title,
        "error": JobFault.model_validate(view.error.model_dump(exclude={"permanent"})) if view.error else None,
        "missing": view.missing,
        "artifacts": rendered_files(document["facts"]).get("artifacts", ()),
        "trace_id": view.trace_id,
    }
    return JobEnded.model_validate(told | ({"submitted_at": view.submitted_at} if view.submitted_at else {}))
