"""Whether others were told of the end of each job."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from shared.events import JobEnded
from tests.chaos.cases import ENDED
from tests.chaos.tap import Letter


def findings(jobs: Mapping[str, dict[str, Any]], owners: Mapping[str, str], heard: Iterable[Letter]) -> list[str]:
    """Jobs that have ended without a `job.ended` that says so, in the words of the API. `owners`: whose each job is."""
    told = {_end(json.loads(letter.body)) for letter in heard if letter.routing_key == JobEnded.routing_key}
    return [
        f"nobody was told that job {job_id} is {job['status']} (run {job['run']}, owner {owners[job_id]})"
        for job_id, job in jobs.items()
        if job["status"] in ENDED and _end({**job, "owner": owners[job_id]}) not in told
    ]


def _end(job: Mapping[str, Any]) -> tuple[Any, ...]:
    end = job["job_id"], job["run"], job["status"], job["owner"], job["trace_id"]
    if job["status"] not in ("done", "partial"):
        return end  # what had been under way may still add files to a job that was cancelled
    return *end, job["title"], *(artifact["name"] for artifact in job["artifacts"])
