"""A job as its owner sees it, derived from what is known of it by one pure function."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from services.gateway.jobs.view import Job, JobArtifact, JobError, JobSource, StageProgress, Status
from shared.events import STAGES, Parameters, Stage

Facts = Mapping[str, Any]

# The fact that ends each stage.
_END_OF: dict[Stage, str] = {
    "ingest": "ingested",
    "transcription": "transcribed",
    "analysis": "analysed",
    "rendering": "rendered",
}


def run_of(facts: Facts) -> int:
    """Which run of the job is the present one."""
    return int(facts.get("run", 1))


def generation_of(facts: Facts) -> int:
    """A number that grows when the owner retries the job or an administrator replays a dead letter of it.

    So does a valid submission after one that was not.
    """
    replays: Mapping[str, int] = facts.get("replays", {})
    return run_of(facts) + sum(replays.values()) + ("refused" in facts and "submitted" in facts)


def is_cancelled(facts: Facts) -> bool:
    """Whether the present run was cancelled."""
    return int(facts.get("cancelled_run", 0)) >= run_of(facts)


def _partly_rendered(facts: Facts) -> Mapping[str, Any] | None:
    """The incomplete set of files of the latest run; of several in one run that with the least missing."""
    found: Sequence[Mapping[str, Any]] = facts.get("partly_rendered", ())
    return max(found, key=lambda one: (one["run"], -len(one["missing"]), json.dumps(one, sort_keys=True)), default=None)


def rendered_files(facts: Facts) -> Mapping[str, Any]:
    """`title`, `artifacts`, `warnings` and `missing` of the best set of files; empty while there is none."""
    files: Mapping[str, Any] = facts.get("rendered") or _partly_rendered(facts) or {}
    return files


def finished_stages(facts: Facts) -> int:
    """How many stages are behind the job: a stage that ended says that those before it did, whatever is missing."""
    ended = [number for number, stage in enumerate(STAGES, start=1) if _END_OF[stage] in facts]
    partly = _partly_rendered(facts)
    if partly is not None and partly["run"] == run_of(facts):
        ended.append(len(STAGES))
    return max(ended, default=0)


def _failure(facts: Facts) -> JobError | None:
    """The failure to tell: of several the one in the earliest stage, so that their order does not matter.

    Failures of earlier runs and of messages that were replayed since do not count.
    """
    if "refused" in facts and "submitted" not in facts:
        refused = facts["refused"]
        return JobError(code=refused["code"], message=refused["message"], stage=STAGES[0], permanent=True)
    replays = facts.get("replays", {})
    failures = [
        failure
        for failure in facts.get("failures", ())
        if failure["run"] == run_of(facts) and failure["replays"] >= replays.get(failure["letter"], 0)
    ]
    if not failures:
        return None
    first = min(failures, key=lambda one: (STAGES.index(one["stage"]), one["queue"], one["code"], one["message"]))
    permanent = first.get("permanent", False)  # earlier versions did not say
    return JobError(code=first["code"], message=first["message"], stage=first["stage"], permanent=permanent)


def derive_status(facts: Facts) -> Status:
    """Where the job stands. Within a generation more facts never move it back."""
    if is_cancelled(facts):
        return "cancelled"
    if "rendered" in facts:
        return "done"
    partly = _partly_rendered(facts)
    if _failure(facts) is not None:
        return "failed" if partly is None else "partial"
    if partly is not None and partly["run"] == run_of(facts):
        return "partial"
    if run_of(facts) > 1 or finished_stages(facts) or any(facts.get("finished", {}).values()):
        return "running"
    return "submitted"


def _stage(number: int, stage: Stage, facts: Facts, error: JobError | None) -> StageProgress:
    behind = finished_stages(facts)
    known = facts.get("units", {}).get(stage)
    finished = len(facts.get("finished", {}).get(stage, ()))
    if number < behind:
        units = max(known or 1, finished)
        return StageProgress(stage=stage, status="done", units_done=units, units=units)
    # Work that is one piece is one unit; how many pieces transcription has is known after ingest.
    units = known or (None if stage == "transcription" else 1)
    units = max(units, finished) if units else None
    running = error is None and (number == behind or finished > 0)
    status: Literal["running", "waiting", "failed", "cancelled"] = "running" if running else "waiting"
    if error is not None and error.stage == stage:
        status = "failed"
    elif running and is_cancelled(facts):
        status = "cancelled"
    return StageProgress(stage=stage, status=status, units_done=finished, units=units)


def _source(facts: Facts) -> JobSource:
    submitted, ingested = facts.get("submitted") or facts.get("refused", {}), facts.get("ingested", {})
    return JobSource(
        name=submitted.get("name") or ingested.get("name") or "",
        size=submitted.get("size") if submitted.get("size") is not None else ingested.get("size"),
        sha256=submitted.get("sha256") or ingested.get("sha256"),
        kind=ingested.get("kind"),
        duration_s=ingested.get("duration_s"),
        page_count=ingested.get("page_count"),
    )


def _artifact(job_id: str, artifact: Mapping[str, Any]) -> JobArtifact:
    stored = artifact["object"]
    return JobArtifact(
        name=artifact["name"],
        size=stored["size"],
        sha256=stored["sha256"],
        media_type=stored["media_type"],
        url=f"/v1/jobs/{job_id}/artifacts/{artifact['name']}",
    )


def derive(job_id: str, facts: Facts) -> Job:
    """The job that `facts` describe; equal facts give equal jobs, in whatever order they came."""
    submitted = facts.get("submitted") or facts.get("refused", {})
    rendered = rendered_files(facts)
    status = derive_status(facts)
    # A retry that failed leaves what an earlier run made, and says why it is not more.
    error = _failure(facts) if status in ("failed", "partial") else None
    warnings = rendered.get("warnings") or facts.get("ingested", {}).get("warnings") or ()
    return Job(
        job_id=job_id,
        status=status,
        title=rendered.get("title"),
        source=_source(facts),
        parameters=Parameters.model_validate(submitted.get("parameters", {})),
        run=run_of(facts),
        submitted_at=submitted.get("at"),
        stages=tuple(_stage(number, stage, facts, error) for number, stage in enumerate(STAGES)),
        error=error,
        warnings=tuple(warnings),
        missing=tuple(rendered.get("missing", ())),
        artifacts=tuple(_artifact(job_id, artifact) for artifact in rendered.get("artifacts", ())),
        trace_id=facts.get("trace_id") or facts.get("seen_trace_id"),
    )
