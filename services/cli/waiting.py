"""Waiting for a job: its progress, its files, its exit status, and how to go on after Ctrl-C."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from services.cli.client import TERMINAL, Client, Job
from services.cli.downloads import fetch, folder_name
from services.cli.frame import consoles
from services.cli.progress import watch
from services.cli.report import EXIT_STATUS, print_json, print_outcome, summary

Output = Annotated[
    Path | None,
    typer.Option(file_okay=False, help="Folder for the files; by default one named after the source, here."),
]
Wait = Annotated[bool, typer.Option("--wait", help="Show progress until the end, then fetch the files.")]
EXIT_STATUSES = "With --wait the exit status is 0 for done, 3 for partial, 4 for failed, 5 for cancelled."


def wait_for(client: Client, sent: Job, output: Path | None, *, as_json: bool) -> None:
    """Show a job until its end, fetch its files and end with its exit status."""
    progress = consoles()[1]
    try:
        job = watch(progress, client.follow(sent["job_id"])) or client.job(sent["job_id"])
    except KeyboardInterrupt:
        progress.print(how_to_go_on([sent]), markup=False, soft_wrap=True)
        raise
    finish(client, job, output, as_json=as_json)
    raise typer.Exit(EXIT_STATUS.get(job["status"], 1))


def finish(client: Client, job: Job, output: Path | None, *, as_json: bool) -> None:
    """Fetch the files of a job that has ended, and print how it ended."""
    fetched = fetch(client, job, output or Path(folder_name(job)))
    if as_json:
        print_json(summary(job, fetched))
    else:
        print_outcome(consoles()[0], job, fetched)


def how_to_go_on(jobs: Iterable[Job]) -> str:
    """What somebody who stopped waiting can do; nothing where all jobs have ended."""
    ids = [job["job_id"] for job in jobs if job["status"] not in TERMINAL]
    if not ids:
        return ""
    what = "The job goes on" if len(ids) == 1 else f"{len(ids)} jobs go on, and `lectern jobs` lists them"
    job = ids[0] if len(ids) == 1 else "JOB"
    return f"{what}: `lectern fetch {job} --wait` waits for its files, `lectern cancel {job}` stops it."
