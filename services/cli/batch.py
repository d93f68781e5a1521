"""Several files sent at once, and what becomes of them. One that fails does not keep the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from services.cli.client import TERMINAL, Client, Job
from services.cli.connection import CommandError, NoAccessError
from services.cli.downloads import Fetched, fetch, folder_name
from services.cli.progress import watch
from services.cli.report import EXIT_STATUS, plain, print_outcome, summary
from services.cli.sources import Chosen, Remark, Source

# The status of several jobs is that of the worst.
_WORST_FIRST = ("failed", "cancelled", "partial", "done")
_NOT_ALL_SENT = 1
_SHOWN = 10


@dataclass
class Batch:
    """What has become of the files so far: `jobs` in the order in which they were sent, by id."""

    chosen: Chosen
    jobs: dict[str, Job] = field(default_factory=dict)
    files: dict[str, Sequence[Fetched]] = field(default_factory=dict)
    faults: list[Remark] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.faults.extend(self.chosen.faults)

    @property
    def exit_status(self) -> int:
        """0 where everything was sent, and is done if that was waited for."""
        if self.faults:
            return _NOT_ALL_SENT
        found = {job["status"] for job in self.jobs.values()} & TERMINAL
        return next((EXIT_STATUS[status] for status in _WORST_FIRST if status in found), 0)

    def content(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "jobs": [summary(job, self.files.get(job_id, ())) for job_id, job in self.jobs.items()],
            "faults": [{"file": fault.given, "message": fault.reason} for fault in self.faults],
            "skipped": [{"file": one.given, "reason": one.reason} for one in self.chosen.skipped],
        }

    def tally(self) -> str:
        """One line about all: `3 done, 1 failed, 1 not sent or fetched, 2 skipped`."""
        counts: dict[str, int] = {}
        for job in self.jobs.values():
            counts[job["status"]] = counts.get(job["status"], 0) + 1
        counts |= {"not sent or fetched": len(self.faults), "skipped": len(self.chosen.skipped)}
        return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def send_one(client: Client, source: Source, fields: Mapping[str, str]) -> Job:
    """Send a file. Raises CommandError where that is refused."""
    return client.submit(source.path, dict(fields), name=source.name)


def send_all(client: Client, batch: Batch, fields: Mapping[str, str], results: Console | None, notes: Console) -> None:
    """Send every file; each that was is printed to `results`, as its job's id and its name.

    Raises NoAccessError where the gateway is away or the key is not good: the others would fare no better.
    """
    left = list(batch.chosen.sources)
    try:
        while left:
            source = left[0]
            try:
                job = send_one(client, source, fields)
            except NoAccessError:
                raise
            except CommandError as error:
                _fault(batch, notes, source.given, str(error))
            else:
                batch.jobs[job["job_id"]] = job
                if results is not None:
                    results.file.write(f"{job['job_id']}\t{plain(source.given)}\n")
                    results.file.flush()
            left.pop(0)
    finally:  # also when it was interrupted
        if left:
            _list(notes, "Not sent", [Remark(source.given, "") for source in left])


def _fault(batch: Batch, notes: Console, given: str, reason: str) -> None:
    batch.faults.append(Remark(given, reason))
    notes.print(Text(f"{plain(given)}: {reason}", "red"), soft_wrap=True)


def wait_for_all(client: Client, batch: Batch, output: Path, results: Console | None, notes: Console) -> None:
    """Follow each job to its end and fetch its files, each job's into a folder of its own in `output`."""
    for job_id, sent in list(batch.jobs.items()):
        notes.print(Text(plain(sent["source"]["name"]), "bold"), soft_wrap=True)
        try:
            job = watch(notes, client.follow(job_id)) or client.job(job_id)
            batch.jobs[job_id] = job
            batch.files[job_id] = fetch(client, job, output / folder_name(job))
        except CommandError as error:
            _fault(batch, notes, sent["source"]["name"], str(error))
        else:
            if results is not None:
                print_outcome(results, job, batch.files[job_id])


def tell_choice(notes: Console, chosen: Chosen) -> None:
    """Say what is left out, and what cannot be sent."""
    _list(notes, "Skipped", chosen.skipped)
    for fault in chosen.faults:
        notes.print(Text(f"{plain(fault.given)}: {fault.reason}", "red"), soft_wrap=True)


def _list(notes: Console, title: str, remarks: Sequence[Remark]) -> None:
    for remark in remarks[:_SHOWN]:
        reason = f" ({remark.reason})" if remark.reason else ""
        notes.print(Text(f"{title}: {plain(remark.given)}{reason}", "yellow"), soft_wrap=True)
    if len(remarks) > _SHOWN:
        notes.print(Text(f"{title}: {len(remarks) - _SHOWN} more", "yellow"), soft_wrap=True)
