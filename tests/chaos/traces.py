"""Whether each job is one trace: the one that the API names is that of its messages, computations and log lines."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.messaging.job_trace import TRACEPARENT, derived_trace_id
from tests.chaos.ledger import Ledger

SHOWN = 3
# What a job's trace must be, and what says which it is: sightings of (job, trace, where).
Sighting = tuple[str, str, str]


def trace_of(headers: Mapping[str, Any]) -> str | None:
    """The trace that headers name; None where they name none."""
    parts = str(headers.get(TRACEPARENT, "")).split("-")
    return parts[1] if len(parts) == 4 else None


def findings(
    jobs: Mapping[str, dict[str, Any]], sightings: Iterable[Sighting], named_by_strangers: set[str]
) -> list[str]:
    """Jobs of which the API names no trace, or another one than was seen.

    What strangers send about a job without naming a trace is seen in the trace that follows from the job's id.
    """
    found = [f"the API names no trace of job {job_id}" for job_id, job in jobs.items() if not job["trace_id"]]
    others: dict[str, list[str]] = defaultdict(list)
    for job_id, trace_id, where in sightings:
        job = jobs.get(job_id)
        if job is None or trace_id == job["trace_id"]:
            continue
        if job_id not in named_by_strangers or trace_id != derived_trace_id(job_id):
            others[job_id].append(f"{trace_id} {where}")
    for job_id, seen in others.items():
        more = f" and {len(seen) - SHOWN} more" if len(seen) > SHOWN else ""
        found.append(
            f"job {job_id} is the trace {jobs[job_id]['trace_id']}, but was seen in {'; '.join(seen[:SHOWN])}{more}"
        )
    return found


def of_ledger(ledger: Ledger) -> Iterator[Sighting]:
    """Where each computation was done."""
    for one in ledger.computations:
        yield one.job_id, str(one.trace_id), f"when {one.unit} was computed"


def of_logs(folder: Path) -> Iterator[Sighting]:
    """What the services' log lines say. Requests about a job have traces of their own."""
    for path in sorted(folder.glob("*.log")):
        for line in path.read_text(errors="replace").splitlines():
            entry = _entry(line)
            if entry.get("job_id") and entry.get("queue") and not str(entry.get("message_id")).startswith("hostile"):
                yield str(entry["job_id"]), str(entry.get("trace_id")), f"in {path.name}: {entry.get('event')}"


def _entry(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return entry if isinstance(entry, dict) else {}
