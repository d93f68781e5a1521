"""Submits hostile sources to a whole system and judges how each of them ends."""

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from shared import errors
from tests.end_to_end.system import ENDED, Lectern
from tests.hostile import documents
from tests.hostile.catalogue import CASES
from tests.hostile.memory import MemoryWatch

LIMIT_S, LIMIT_MB, NEIGHBOUR_LIMIT_S = 300.0, 2500.0, 60.0
PATIENCE_S = 15.0  # beyond the limit, so that a case that is a little late is told from one without an end
LEAST_WORDS = 5
GENERIC = {
    kind.default_message
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.LecternError)
} - {errors.EngineTimeoutError.default_message}


@dataclass(frozen=True)
class Outcome:
    """How one case ended. `told` is what its owner reads.

    `neighbour_s` is how long a PDF of one page took that was submitted right after it, and `letters` the messages about
    it that were given up.
    """

    case: str
    status: str
    told: tuple[str, ...]
    seconds: float
    mb: float
    service: str
    neighbour_s: float = 0.0
    letters: int = 0

    @property
    def is_clear(self) -> bool:
        """Whether it was done, or its owner was told what is wrong in a sentence about it."""
        if self.letters:
            return False
        if self.status == "done":
            return True
        about_it = [text for text in self.told if text not in GENERIC and len(text.split()) >= LEAST_WORDS]
        return self.status in {"partial", "failed", "refused"} and bool(about_it)


def run_case(lectern: Lectern, name: str, folder: Path) -> Outcome:
    """Make a case, submit it, then a small file, and wait for the end of both; what does not end is cancelled."""
    case = CASES[name]
    path, small = folder / case.file, folder / "small.pdf"
    case.write(path)
    documents.text_pages(small, 1)
    letters = _letters(lectern)
    with MemoryWatch(lectern.home) as memory:
        hostile = _Submitted(lectern, path)
        neighbour = _Submitted(lectern, small)
        jobs = (hostile, neighbour)
        while {job.is_over() for job in jobs} != {True} and hostile.seconds < LIMIT_S + PATIENCE_S:  # each one is asked
            time.sleep(0.2)
        for job in jobs:
            job.cancel()
    path.unlink()
    assert neighbour.job["status"] not in {"failed", "partial"}, "the small file is sound"
    return Outcome(
        name,
        hostile.job["status"],
        _told(hostile.job),
        round(hostile.seconds, 1),
        round(memory.worst_mb),
        memory.worst_service,
        neighbour_s=round(neighbour.seconds, 1),
        letters=_letters(lectern) - letters,
    )


class _Submitted:
    """A job under way: `job` as it was last seen, `seconds` from its submission to its end or to now."""

    def __init__(self, lectern: Lectern, path: Path) -> None:
        self._lectern = lectern
        self._began = time.monotonic()
        self._ended: float | None = None
        with path.open("rb") as file:
            answer = lectern.http.post("/v1/jobs", files={"file": (path.name, file)})
        self.job: dict[str, Any] = answer.json()
        if answer.status_code != HTTPStatus.ACCEPTED:
            refusal = {"message": str(self.job.get("detail", ""))}
            self.job = {"status": "refused", "error": refusal, "missing": [], "warnings": []}
            self._ended = time.monotonic()

    @property
    def seconds(self) -> float:
        return (self._ended or time.monotonic()) - self._began

    def is_over(self) -> bool:
        """Whether it has ended; asks."""
        if self._ended is None:
            self.job = self._lectern.job(self.job["job_id"])
            if self.job["status"] in ENDED:
                self._ended = time.monotonic()
        return self._ended is not None

    def cancel(self) -> None:
        """Stop working on it, unless it has ended."""
        if self._ended is None:
            self._lectern.http.post(f"/v1/jobs/{self.job['job_id']}/cancel")


def _letters(lectern: Lectern) -> int:
    answer = lectern.http.get("/v1/dead-letters")
    answer.raise_for_status()
    return len(answer.json()["dead_letters"])


def report(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """The figures of all cases."""
    cases = list(outcomes)
    return {
        "cases": len(cases),
        "worst_mb": max(case.mb for case in cases),
        "worst_s": max(case.seconds for case in cases),
        "worst_neighbour_s": max(case.neighbour_s for case in cases),
        "not_clear": sum(not case.is_clear for case in cases),
        "outcomes": [asdict(case) | {"is_clear": case.is_clear} for case in cases],
    }


def holds(figures: dict[str, Any]) -> bool:
    """Whether every case kept to the limits and was told clearly, and nobody waited for it."""
    within = figures["worst_s"] <= LIMIT_S and figures["worst_mb"] <= LIMIT_MB
    return within and figures["worst_neighbour_s"] <= NEIGHBOUR_LIMIT_S and not figures["not_clear"]


def _told(job: dict[str, Any]) -> tuple[str, ...]:
    error = (job["error"]["message"],) if job["error"] else ()
    return (*error, *job["missing"], *job["warnings"])
