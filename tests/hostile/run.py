"""Submits hostile sources to a whole system and judges how each of them ends."""

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from shared import errors
from tests.end_to_end.system import ENDED, Lectern
from tests.hostile.catalogue import CASES
from tests.hostile.memory import MemoryWatch

LIMIT_S, LIMIT_MB = 300.0, 2500.0
PATIENCE_S = 15.0  # beyond the limit, so that a case that is a little late is told from one without an end
LEAST_WORDS = 5
GENERIC = {
    kind.default_message
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.LecternError)
} - {errors.EngineTimeoutError.default_message}


@dataclass(frozen=True)
class Outcome:
    """How one case ended. `told` is what its owner reads."""

    case: str
    status: str
    told: tuple[str, ...]
    seconds: float
    mb: float
    service: str

    @property
    def is_clear(self) -> bool:
        """Whether it was done, or its owner was told what is wrong in a sentence about it."""
        if self.status == "done":
            return True
        about_it = [text for text in self.told if text not in GENERIC and len(text.split()) >= LEAST_WORDS]
        return self.status in {"partial", "failed", "refused"} and bool(about_it)


def run_case(lectern: Lectern, name: str, folder: Path) -> Outcome:
    """Make a case, submit it, and wait for its end; what does not end is cancelled."""
    case = CASES[name]
    path = folder / case.file
    case.write(path)
    with MemoryWatch(lectern.home) as memory:
        began = time.monotonic()
        with path.open("rb") as file:
            answer = lectern.http.post("/v1/jobs", files={"file": (case.file, file)})
        if answer.status_code == HTTPStatus.ACCEPTED:
            job = _wait(lectern, answer.json()["job_id"], began + LIMIT_S + PATIENCE_S)
            status, told = job["status"], _told(job)
        else:
            status, told = "refused", (str(answer.json().get("detail", "")),)
        seconds = time.monotonic() - began
    path.unlink()
    return Outcome(name, status, told, round(seconds, 1), round(memory.worst_mb), memory.worst_service)


def report(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """The figures of all cases."""
    cases = list(outcomes)
    return {
        "cases": len(cases),
        "worst_mb": max(case.mb for case in cases),
        "worst_s": max(case.seconds for case in cases),
        "not_clear": sum(not case.is_clear for case in cases),
        "outcomes": [asdict(case) | {"is_clear": case.is_clear} for case in cases],
    }


def holds(figures: dict[str, Any]) -> bool:
    """Whether every case kept to the limits and was told clearly."""
    return figures["worst_s"] <= LIMIT_S and figures["worst_mb"] <= LIMIT_MB and not figures["not_clear"]


def _wait(lectern: Lectern, job_id: str, deadline: float) -> dict[str, Any]:
    while (job := lectern.job(job_id))["status"] not in ENDED and time.monotonic() < deadline:
        time.sleep(0.5)
    if job["status"] not in ENDED:
        lectern.http.post(f"/v1/jobs/{job_id}/cancel")
    return job


def _told(job: dict[str, Any]) -> tuple[str, ...]:
    error = (job["error"]["message"],) if job["error"] else ()
    return (*error, *job["missing"], *job["warnings"])
