"""What the engines say that they computed, and what the checkpoints say became of it."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.chaos.watched_checkpoints import KEPT, NOT_KEPT

Place = tuple[str, str]


@dataclass(frozen=True)
class Computation:
    """One call of an engine, for a `checkpoint` of a job. Times are seconds since the epoch; None is unknown.

    `looked_at`: when it was last looked whether the result is there. `outcome`: `done`, `failed`, `refused`, or None
    where the engine was ended. `fate`: KEPT, the name of the error that kept it from being kept, or None where its
    process ended before.
    """

    job_id: str
    checkpoint: str
    unit: str
    run: int
    pid: int
    looked_at: float
    begun_at: float
    trace_id: str | None = None
    outcome: str | None = None
    fate: str | None = None
    fate_at: float | None = None


@dataclass(frozen=True)
class Ledger:
    """Every computation, in the order of their beginnings, and when each delivery knew its checkpoint to be kept."""

    computations: Sequence[Computation]
    kept_at: Mapping[Place, Sequence[float]]

    @cached_property
    def by_place(self) -> Mapping[Place, Sequence[Computation]]:
        """The computations of each checkpoint."""
        found: dict[Place, list[Computation]] = defaultdict(list)
        for one in self.computations:
            found[one.job_id, one.checkpoint].append(one)
        return found

    def figures(self) -> dict[str, int]:
        """How many were begun and done; `again` for what was begun before, `redone` for what had been done before."""
        done = Counter((one.job_id, one.checkpoint) for one in self.computations if one.outcome == "done")
        return {
            "begun": len(self.computations),
            "done": done.total(),
            "again": sum(len(found) - 1 for found in self.by_place.values()),
            "redone": done.total() - len(done),
        }


def read_ledger(workshop: Path) -> Ledger:
    """Read the lines of all processes."""
    entries = sorted(_entries(workshop), key=lambda entry: float(entry["at"]))
    kept_at: dict[Place, list[float]] = defaultdict(list)
    ends: dict[str, dict[str, Any]] = {}
    outcomes: dict[str, str] = {}
    for entry in entries:
        if entry["what"] == KEPT:
            kept_at[entry["job"], entry["checkpoint"]].append(entry["at"])
        if entry["what"] in (KEPT, NOT_KEPT):
            ends[entry["call"]] = entry
        elif entry["what"] != "begun":
            outcomes[entry["work"]] = entry["what"]
    begun = [entry for entry in entries if entry["what"] == "begun"]
    return Ledger([_computation(entry, ends.get(entry["call"]), outcomes) for entry in begun], kept_at)


def _computation(begun: dict[str, Any], end: dict[str, Any] | None, outcomes: Mapping[str, str]) -> Computation:
    fate = None
    if end is not None:
        fate = KEPT if end["what"] == KEPT else str(end["error"])
    return Computation(
        job_id=begun["job"],
        checkpoint=begun["checkpoint"],
        unit=begun["unit"],
        run=begun["run"],
        pid=begun["pid"],
        looked_at=begun["looked"] or begun["at"],
        begun_at=begun["at"],
        trace_id=begun["trace"],
        outcome=outcomes.get(begun["work"]),
        fate=fate,
        fate_at=end["at"] if end else None,
    )


def _entries(workshop: Path) -> Iterator[dict[str, Any]]:
    for path in (workshop / "ledger").glob("*.jsonl"):
        for line in path.read_text().splitlines():
            yield json.loads(line)
