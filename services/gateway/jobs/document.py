"""A job's document in the database: what is kept of it, and what is written beside that because it follows from it."""

from datetime import UTC, datetime

from services.gateway.jobs.derive import derive, generation_of
from services.gateway.jobs.ended import ENDS, ends_of
from services.gateway.jobs.view import STATUSES, TERMINAL
from shared.database import Document
from shared.errors import InvalidMessageError

# What the sweeper has to see to: a job that waits to be published, or what nobody has been told of yet.
PENDING_SUBMISSION = "submission"
PENDING_CANCELLATION = "cancellation"
PENDING_DELETION = "deletion"
PENDING = ("pending", "pending_since")
# Which gateway publishes it, of those that see it waiting.
CLAIM = "claim"
# What somebody may settle while another changes the document.
SETTLED_APART = (*PENDING, CLAIM, ENDS)
KEPT = ("owner", "order", "facts", "traceparent", "nudges", *SETTLED_APART)


def pending(kind: str) -> Document:
    """The fields that ask the sweeper to see to it."""
    return {"pending": kind, "pending_since": datetime.now(UTC)}


def settled(document: Document) -> Document:
    """The document without those fields."""
    return {name: value for name, value in document.items() if name not in (*PENDING, CLAIM)}


def stored(document: Document, before: Document | None = None) -> Document:
    """What is written of a job's document, which `before` becomes: what is kept, and what follows from it.

    `active`: it is published and has not ended. While it waits to be published that stays as it is: whoever publishes
    it says so (`ReadModel.settle`). `changed_at`: its last sign of life.
    """
    view = derive(document["_id"], document["facts"])
    follows: Document = {"view": view.model_dump(mode="json"), "status": view.status, "changed_at": datetime.now(UTC)}
    if view.status in TERMINAL:
        follows["active"] = False
    elif document.get("pending") != PENDING_SUBMISSION:
        follows["active"] = "owner" in document
    if (ends := ends_of(before or {}, document, view)) is not None:
        follows[ENDS] = ends
    return {name: document[name] for name in KEPT if name in document} | follows


def changes(before: Document, known: Document) -> Document:
    """The update of the database that makes `known`, what is written of a document, of what was there before."""
    # Somebody may settle what is pending meanwhile: it is written only when this changes it.
    changed = {name: value for name, value in known.items() if name not in SETTLED_APART or before.get(name) != value}
    gone = {name: "" for name in KEPT if name in before and name not in known}
    return {"$set": changed, **({"$unset": gone} if gone else {})}


def check_direction(before: Document, after: Document) -> None:
    """Raise InvalidMessageError when a job would move back within its generation: a bug, not an order of events."""
    if generation_of(after["facts"]) > generation_of(before["facts"]):
        return
    if STATUSES.index(after["status"]) < STATUSES.index(before["status"]):
        raise InvalidMessageError(f"the status of {after['_id']} would move back")
