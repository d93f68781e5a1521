"""Whether every job ended as its content and its owner demand."""

import hashlib
import random
from dataclasses import dataclass, field
from typing import Any

from shared.errors import EngineError, InvalidSourceError
from tests.chaos.cases import ENDED, Case
from tests.chaos.clients import Account
from tests.chaos.content import POISON_MESSAGE, UNIT_S, Content
from tests.chaos.inventory import Objects

DOWNLOADED_SHARE = 0.2
SHOWN = 6


@dataclass(frozen=True)
class Quiet:
    """What a content comes to when nothing disturbs it."""

    status: str
    artifacts: dict[str, str]
    objects: Objects
    view: dict[str, Any] = field(default_factory=dict)


@dataclass
class Tally:
    """How jobs ended, and what is wrong with them."""

    ended: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def count(self, how: str) -> None:
        """One more job that ended so."""
        self.ended[how] = self.ended.get(how, 0) + 1

    def findings(self) -> list[str]:
        """All that is wrong."""
        return [*self.lost, *self.stuck, *self.doubled, *self.repeated, *self.others]


def demanded(case: Case) -> str:
    """The status that a case must end with."""
    content = case.wish.content
    if case.deleted:
        return "deleted"
    if case.cancelled:
        return "cancelled"
    if content.poisoned or (content.mendable and not case.mended):
        return "failed"
    return "partial" if content.is_partial else "done"


def judge(case: Case, job: dict[str, Any] | None, objects: Objects, quiet: Quiet, tally: Tally) -> None:
    """Compare one accepted case with what is there."""
    want = demanded(case)
    if want == "deleted":
        _judge_deleted(case, job, objects, tally)
        return
    if job is None:
        tally.lost.append(f"{case.label} is lost: it was accepted, and is not in the list; {case.notes}")
        return
    status = str(job["status"])
    tally.count(status)
    if status not in ENDED:
        stages = {
            stage["stage"]: f"{stage['status']} {stage['units_done']}/{stage['units']}" for stage in job["stages"]
        }
        tally.stuck.append(f"{case.label} is stuck: {status}, {stages}; {case.notes}")
        return
    if status != want and not case.unsure:
        tally.others.append(f"{case.label} is {status}, not {want}: {job.get('error')}; {case.notes}")
        return
    if want == "failed":
        tally.others += _wrong_reason(case, job)
    _judge_files(case, job, objects, quiet, tally)


def _judge_deleted(case: Case, job: dict[str, Any] | None, objects: Objects, tally: Tally) -> None:
    tally.count("deleted")
    if job is not None:
        tally.others.append(f"{case.label} was deleted and is in the list as {job['status']}")
    if objects:
        tally.others.append(f"{case.label} was deleted and left {len(objects)} objects: {sorted(objects)[:SHOWN]}")


def _wrong_reason(case: Case, job: dict[str, Any]) -> list[str]:
    error = job.get("error") or {}
    content = case.wish.content
    want = (InvalidSourceError.code, POISON_MESSAGE) if content.poisoned else (EngineError.code, None)
    if error.get("code") != want[0] or (want[1] and error.get("message") != want[1]):
        return [f"{case.label} failed with {error}, not with {want}"]
    return []


def _judge_files(case: Case, job: dict[str, Any], objects: Objects, quiet: Quiet, tally: Tally) -> None:
    whole = job["status"] == quiet.status and job["status"] in ("done", "partial")
    artifacts = {artifact["name"]: artifact["sha256"] for artifact in job["artifacts"]}
    if whole and quiet.view and (view := view_of(job)) != quiet.view:
        differing = sorted(name for name in view if view[name] != quiet.view[name])
        told = "; ".join(f"{name} is {view[name]}, not {quiet.view[name]}" for name in differing)
        tally.others.append(f"{case.label} is told otherwise than in a quiet run: {told}")
    if whole and artifacts != quiet.artifacts:
        tally.others.append(f"{case.label} has other files than a quiet run: {_difference(artifacts, quiet.artifacts)}")
    missing = sorted(quiet.objects.keys() - objects.keys()) if whole else []
    more = sorted(objects.keys() - quiet.objects.keys())
    other = sorted(key for key in objects.keys() & quiet.objects.keys() if objects[key] != quiet.objects[key])
    if missing:
        tally.lost.append(f"{case.label} is {job['status']} without {len(missing)} objects: {missing[:SHOWN]}")
    if more:
        tally.doubled.append(f"{case.label} has {len(more)} objects too many: {more[:SHOWN]}")
    if other:
        tally.others.append(f"{case.label} has objects with other bytes than a quiet run: {other[:SHOWN]}")


def _difference(have: dict[str, str], want: dict[str, str]) -> str:
    keys = sorted(key for key in have.keys() | want.keys() if have.get(key) != want.get(key))
    return ", ".join(f"{key}: {have.get(key, 'missing')[:12]}, not {want.get(key, 'there')[:12]}" for key in keys)


async def judge_downloads(account: Account, jobs: list[dict[str, Any]], rng: random.Random) -> list[str]:
    """Fetch some jobs' files, and compare their bytes with what the jobs say of them."""
    found = []
    for job in jobs:
        if rng.random() > DOWNLOADED_SHARE:
            continue
        for artifact in job["artifacts"]:
            digest = hashlib.sha256(await account.download(artifact["url"])).hexdigest()
            if digest != artifact["sha256"]:
                found.append(f"job {job['job_id']}: the bytes of {artifact['name']} are not what the job says")
    return found


def quiet_of(content: Content, job: dict[str, Any], objects: Objects) -> Quiet:
    """What is remembered of a content's quiet run. Raises AssertionError when that did not end as it must."""
    artifacts = {artifact["name"]: artifact["sha256"] for artifact in job["artifacts"]}
    assert job["status"] in ENDED, f"the quiet run of {content.name} did not end: {job}"
    assert not content.is_plain or job["status"] == "done", f"the quiet run of {content.name}: {job}"
    faults = faults_of_view(content, job) if job["status"] in ("done", "partial") else []
    assert not faults, f"the quiet run of {content.name}: {'; '.join(faults)}"
    return Quiet(job["status"], artifacts, objects, view_of(job))


def view_of(job: dict[str, Any]) -> dict[str, Any]:
    """What is told of a job, and is the same of every job of that content."""
    return {name: job[name] for name in ("title", "source", "stages", "warnings", "missing", "parameters")}


def faults_of_view(content: Content, job: dict[str, Any]) -> list[str]:
    """What is told of a finished job and is not as its content demands: of an event that nobody put there, say."""
    body = content.source()
    recording = content.kind == "recording"
    want = {
        "title": content.name,
        "name": content.name,
        "kind": content.kind,
        "duration_s": UNIT_S * content.units if recording else None,
        "page_count": None if recording else content.units,
        "size": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
        "units": [1, content.units + content.slides, 1, 1],
    }
    told = {**job["source"], "title": job["title"], "units": [stage["units_done"] for stage in job["stages"]]}
    found = [f"{name} is {told[name]}, not {value}" for name, value in want.items() if told[name] != value]
    return found + [f"{one['stage']} is {one['status']}" for one in job["stages"] if one["status"] != "done"]
