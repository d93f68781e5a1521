"""What an event adds to what is known of a job: sets, maxima and facts that never change, so order does not matter."""

import copy
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import singledispatch
from typing import Any

from shared.database import Document
from shared.errors import InvalidMessageError
from shared.events import (
    OWNER,
    Event,
    HandoutRendered,
    JobSubmitted,
    SourceAnalysed,
    SourceIngested,
    SourceRefused,
    SourceTranscribed,
    Stage,
    UnitFinished,
)
from shared.messaging.submissions import InvalidSubmission
from shared.names import sanitise_name

# Who owns what names no owner that can be: the user of the machine.
LOCAL = "local"
_LONGEST_NAME = 5000


@dataclass(frozen=True)
class Addition:
    """An update of a job's document that gives the same result in any order and any number of times.

    `facts` are set, `members` added to sets, `maxima` and `minima` kept. The facts are set only where none of those in
    `unless` is known yet.
    """

    facts: Document = field(default_factory=dict)
    members: Document = field(default_factory=dict)
    maxima: Document = field(default_factory=dict)
    minima: Document = field(default_factory=dict)
    unless: tuple[str, ...] = ()

    def to(self, document: Document) -> Document:
        """A copy of `document` with this added; an equal one where it says nothing new."""
        added: Document = copy.deepcopy(document)
        if not any(_has(added, known) for known in self.unless):
            for path, value in self.facts.items():
                parent, name = _place(added, path)
                parent[name] = value
        for path, value in self.members.items():
            parent, name = _place(added, path)
            known = parent.setdefault(name, [])
            if value not in known:
                known.append(value)
        for keep, values in ((max, self.maxima), (min, self.minima)):
            for path, value in values.items():
                parent, name = _place(added, path)
                parent[name] = keep(parent.get(name, value), value)
        return added


def _place(document: Document, path: str) -> tuple[Document, str]:
    """The inner document that `path` (names with dots between) ends in, made if need be, and the last name."""
    *folders, name = path.split(".")
    for folder in folders:
        document = document.setdefault(folder, {})
    return document, name


def _has(document: Document, path: str) -> bool:
    parent, name = _place(document, path)
    return name in parent


_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9999, 12, 31, tzinfo=UTC)  # and not its last day, which ends later west of Greenwich


def _moment(submitted_at: datetime) -> datetime:
    """The time in UTC; one of another age, which a publisher's clock may say, is the first or last that is listed."""
    return min(max(submitted_at, _EARLIEST), _LATEST).astimezone(UTC)


def order_key(submitted_at: datetime, job_id: str) -> str:
    """A string that sorts as the time does, unique: what lists are ordered and continued by."""
    return f"{int(_moment(submitted_at).timestamp() * 1000):015d}-{job_id}"


def submission(event: JobSubmitted) -> Document:
    """The facts of a submission, as kept under `facts.submitted`."""
    return {
        "name": sanitise_name(event.source.name),
        "key": event.source.key,
        "size": event.source.size,
        "sha256": event.source.sha256,
        "parameters": event.parameters.model_dump(mode="json"),
        "at": _moment(event.submitted_at).isoformat(timespec="milliseconds"),
    }


def addition_of(event: Event) -> Addition:
    """What `event` adds. Raises TypeError for one that is no fact about the progress of a job."""
    addition = _addition_of(event)
    return replace(addition, maxima={**addition.maxima, "facts.run": event.run})


@singledispatch
def _addition_of(event: Event) -> Addition:
    raise TypeError(f"no addition for {type(event).__name__}")


@_addition_of.register
def _(event: JobSubmitted) -> Addition:
    # A further run is the same submission: the facts of the first stay.
    facts: dict[str, Any] = {
        "owner": event.owner,
        "order": order_key(event.submitted_at, event.job_id),
        "facts.submitted": submission(event),
    }
    return Addition(facts, unless=("facts.submitted",))


@_addition_of.register
def _(event: SourceRefused) -> Addition:
    failure = Failure(
        stage=event.stage,
        queue=f"{event.stage}.refused",
        code=event.code,
        message=event.message,
        run=event.run,
        letter=f"refused-{event.stage}-{event.run}",
        permanent=not event.retry_helps,
    )
    return failure.addition()


@_addition_of.register
def _(event: SourceIngested) -> Addition:
    facts = event.facts.model_dump(mode="json") | {"size": event.original.size, "sha256": event.original.sha256}
    return Addition({"facts.ingested": facts}, maxima={"facts.units.transcription": event.units()})


@_addition_of.register
def _(event: UnitFinished) -> Addition:
    return Addition(
        members={f"facts.finished.{event.stage}": event.unit}, maxima={f"facts.units.{event.stage}": event.units}
    )


@_addition_of.register
def _(_event: SourceTranscribed) -> Addition:
    return Addition({"facts.transcribed": True})


@_addition_of.register
def _(_event: SourceAnalysed) -> Addition:
    return Addition({"facts.analysed": True})


@_addition_of.register
def _(event: HandoutRendered) -> Addition:
    rendered = event.model_dump(mode="json", include={"title", "artifacts", "warnings", "missing"})
    if event.missing:
        return Addition(members={"facts.partly_rendered": {"run": event.run, **rendered}})
    return Addition({"facts.rendered": rendered})


@dataclass(frozen=True)
class Failure:
    """What fails a job: a dead letter, a refused source, silence.

    `run` is the job's at that time, `letter` says which message it is, `replays` how often that had been replayed;
    `permanent`: it is about what the user sent, and a further run would end the same.
    """

    stage: Stage
    queue: str
    code: str
    message: str
    run: int = 1
    letter: str = ""
    replays: int = 0
    permanent: bool = False

    def addition(self) -> Addition:
        """What it adds to what is known of the job."""
        return Addition(members={"facts.failures": asdict(self)}, maxima={"facts.run": self.run})


def addition_of_invalid(submission: InvalidSubmission) -> Addition:
    """What a submission adds that is wrong but names its job: a failed job, unless there is a valid one of that id."""
    content, now = submission.content, datetime.now(UTC)
    owner, source = content.get("owner"), content.get("source")
    name = source.get("name") if isinstance(source, Mapping) else None
    refused = {
        "name": sanitise_name(name[:_LONGEST_NAME]) if isinstance(name, str) else "",
        "code": InvalidMessageError.code,
        "message": submission.fault,
        "at": now.isoformat(timespec="milliseconds"),
    }
    facts: Document = {
        "owner": owner if isinstance(owner, str) and re.fullmatch(OWNER, owner) else LOCAL,
        "order": order_key(now, submission.job_id),
        "facts.refused": refused,
    }
    return Addition(facts, unless=("facts.submitted", "facts.refused"))


def addition_of_replay(letter: str, replays: int) -> Addition:
    """The dead letter `letter` was sent to work for the `replays`-th time: earlier failures of it no longer count."""
    return Addition(maxima={f"facts.replays.{letter}": replays})
