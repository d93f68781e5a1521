"""The reckoning of a run: what became of every job, file, object, message, trace and computation."""

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.messaging.logs import job_of
from tests.chaos import ends, inventory, queues, repeats, traces, verdict
from tests.chaos.cases import ENDED, Case
from tests.chaos.ending import end_in_order, ends_of_its_own
from tests.chaos.ledger import Ledger, read_ledger
from tests.chaos.owners import separation_findings, shared_findings
from tests.chaos.queues import DeadLetter
from tests.chaos.report import Report
from tests.chaos.verdict import Quiet, Tally

if TYPE_CHECKING:
    from tests.chaos.run import Run

Jobs = Mapping[str, Mapping[str, dict[str, Any]]]
ENDS_TOLD_WITHIN_S = 20.0


async def reckon(run: "Run", quiet: Mapping[tuple[str, bool], Quiet]) -> Report:
    """Account for everything, and end the system."""
    by_owner = await run.owners.all_jobs()
    jobs = {job_id: job for found in by_owner.values() for job_id, job in found.items()}
    tally = Tally()
    accepted = {str(case.job_id): case for case in run.cases if case.job_id is not None}
    nobodys = await _judge_jobs(run, by_owner, accepted, quiet, tally)
    tally.others += await _ends(run, by_owner)
    mended = {job_id for job_id, case in accepted.items() if case.wish.content.mendable}
    tally.others += run.watch.findings(mended)
    tally.others += run.progress.findings()
    tally.others += queues.leftover_findings(await queues.counts(run.stack))
    letters = await queues.dead_letters(run.stack.node.url)
    known = accepted | queues.unanswered(jobs, run.cases)
    tally.others += queues.letter_findings(letters, run.injector.hostiles, run.injector.unconfirmed, known)
    tally.others += queues.stored_findings(letters, nobodys)
    tally.others += await queues.account_findings(run.owners.administrator, letters, accepted)
    tally.others += shared_findings(run.watch.listed)
    tally.others += await separation_findings(run.owners, by_owner, run.rng)
    peak_mb = {unit.label: unit.peak_mb() for unit in run.stack.nursery.units}
    tally.others += ends_of_its_own(run.stack.nursery.units, run.stack.disturbances)
    tally.others += await end_in_order(run.stack)
    ledger = read_ledger(run.stack.workshop.folder)
    tally.repeated += repeats.findings(ledger, run.stack.disturbances)
    tally.others += _traces(run, jobs, ledger, letters)
    return Report.of(run, tally, letters, ledger, peak_mb, time.monotonic() - run.began_s)


async def _judge_jobs(
    run: "Run",
    by_owner: Jobs,
    accepted: Mapping[str, Case],
    quiet: Mapping[tuple[str, bool], Quiet],
    tally: Tally,
) -> dict[str, str]:
    """Judge each job and its objects; the objects that are no job's."""
    objects = await inventory.take(run.stack)
    nobodys = objects.pop("?", {})
    for job_id, case in accepted.items():
        job = by_owner[case.wish.owner].get(job_id)
        verdict.judge(case, job, objects.get(job_id, {}), quiet[case.wish.kind], tally)
    tally.others += _unaccepted(run.cases, by_owner, objects, accepted)
    tally.others += [f"{key} is gone from the inbox" for key in sorted(run.submitter.put - nobodys.keys())]
    for owner, jobs in by_owner.items():
        account = run.owners.accounts[owner]
        tally.others += await verdict.judge_downloads(account, list(jobs.values()), run.rng)
    return nobodys


def _unaccepted(
    cases: list[Case], by_owner: Jobs, objects: Mapping[str, Mapping[str, str]], accepted: Mapping[str, Case]
) -> list[str]:
    """Jobs and objects that nobody was promised. Who went away too early may have a job without knowing."""
    listed = {job_id for jobs in by_owner.values() for job_id in jobs}
    found = [
        f"objects of no job under {job_id}: {sorted(objects[job_id])[:4]}"
        for job_id in sorted(objects.keys() - listed - accepted.keys())
    ]
    for owner, jobs in by_owner.items():
        without_answer = sum(1 for case in cases if case.job_id is None and case.wish.owner == owner)
        nobodys = sorted(job_id for job_id in jobs if job_id not in accepted or accepted[job_id].wish.owner != owner)
        if len(nobodys) > without_answer:
            found.append(f"{owner} has {len(nobodys)} jobs never promised, {without_answer} are without an answer")
        found += [
            f"job {job_id}, accepted without an answer, is stuck as {jobs[job_id]['status']}"
            for job_id in nobodys
            if jobs[job_id]["status"] not in ENDED
        ]
    return found


async def _ends(run: "Run", by_owner: Jobs) -> list[str]:
    """Ends that nobody was told of, once there was time to."""
    jobs = {job_id: job for found in by_owner.values() for job_id, job in found.items()}
    owners = {job_id: owner for owner, found in by_owner.items() for job_id in found}
    deadline = time.monotonic() + ENDS_TOLD_WITHIN_S
    while (found := ends.findings(jobs, owners, run.tap.heard)) and time.monotonic() < deadline:
        await asyncio.sleep(0.5)
    return found


def _traces(run: "Run", jobs: Mapping[str, dict[str, Any]], ledger: Ledger, letters: list[DeadLetter]) -> list[str]:
    strangers = {job_of(hostile.letter.body) or "" for hostile in run.injector.hostiles}
    sightings = {
        *run.tap.sightings,
        *traces.of_ledger(ledger),
        *traces.of_logs(run.stack.folder),
        *(
            (str(letter.job_id), str(traces.trace_of(letter.headers)), f"of a dead letter in {letter.queue}")
            for letter in letters
            if not str(letter.message_id).startswith("hostile")
        ),
    }
    return traces.findings(jobs, sorted(sightings), strangers)
