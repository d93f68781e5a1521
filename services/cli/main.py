"""The `lectern` command."""

import asyncio
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from services.cli import dead_letters, keys
from services.cli.client import Client, Job
from services.cli.connection import CommandError, home_folder
from services.cli.downloads import fetch as fetch_files
from services.cli.downloads import folder_name
from services.cli.frame import AsJson, connected, consoles, explained
from services.cli.progress import watch
from services.cli.report import EXIT_STATUS, print_job, print_jobs, print_json, print_outcome, summary
from shared.events import PRODUCTS

SAMPLE = Path(__file__).resolve().parents[2] / "deploy" / "samples" / "lecture.mp4"

app = typer.Typer(
    help="Turns lecture recordings and documents into study handouts.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(keys.app, name="keys")


class Paper(StrEnum):
    """Paper sizes."""

    A4 = "a4"
    US_LETTER = "us-letter"


class Status(StrEnum):
    """Where a job can be."""

    SUBMITTED = "submitted"
    RUNNING = "running"
    FAILED = "failed"
    PARTIAL = "partial"
    DONE = "done"
    CANCELLED = "cancelled"


def _products(given: str) -> str:
    names = list(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))
    if not names:
        raise typer.BadParameter(f"Name at least one of {', '.join(PRODUCTS)}.")
    unknown = [name for name in names if name not in PRODUCTS]
    if unknown:
        raise typer.BadParameter(f"There is no product {unknown[0]!r}. Those that there are: {', '.join(PRODUCTS)}.")
    return ",".join(names)


File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", exists=True, dir_okay=False, readable=True, help="A recording (video or audio) or a PDF."
    ),
]
JobId = Annotated[str, typer.Argument(help="Id of the job, or as much of its beginning as tells.", metavar="JOB")]
Output = Annotated[
    Path | None,
    typer.Option(file_okay=False, help="Folder for the files; by default one named after the source, here."),
]
Wait = Annotated[bool, typer.Option("--wait", help="Show progress until the end, then fetch the files.")]


def _print_version(wanted: bool) -> None:  # noqa: FBT001 -- typer's signature of a callback
    if wanted:
        consoles()[0].print(f"lectern {version('lectern')}", markup=False)
        raise typer.Exit


@app.callback()
def options(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Turns lecture recordings and documents into study handouts."""


@app.command()
def up(
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="SOURCE", exists=True, dir_okay=False, readable=True, help="A file to make a handout of."
        ),
    ] = None,
    *,
    home: Annotated[Path | None, typer.Option(file_okay=False, help="State folder; default LECTERN_HOME.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the page and of the API.")] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Make a handout of the bundled lecture.")] = False,
) -> None:
    """Run the whole of Lectern on this machine until Ctrl-C."""
    from services.cli import up as launcher  # noqa: PLC0415 -- every other command starts without the supervisor

    if sample and source is not None:
        raise typer.BadParameter("Give a file or --sample, not both.")
    with explained():
        chosen = SAMPLE if sample else source
        asyncio.run(launcher.run(consoles()[0], (home or home_folder()).resolve(), port=port, source=chosen))


@app.command()
def submit(
    file: File,
    *,
    wait: Wait = False,
    as_json: AsJson = False,
    output: Output = None,
    paper: Annotated[Paper, typer.Option(help="Paper size of the PDF.")] = Paper.A4,
    language: Annotated[str, typer.Option(help="Language spoken, ISO 639, such as en.")] = "en",
    required: Annotated[
        str,
        typer.Option(
            metavar="PRODUCTS",
            callback=_products,
            help=f"Without these, separated by commas, the job fails: {', '.join(PRODUCTS)}. "
            "Others that cannot be made leave it partial.",
        ),
    ] = "pdf",
) -> None:
    """Make a handout of FILE.

    With --wait the exit status is 0 for done, 3 for partial, 4 for failed, 5 for cancelled.

    Ctrl-C ends the waiting, not the job.
    """
    results = consoles()[0]
    with connected() as client:
        job = client.submit(file, {"paper": paper.value, "language": language, "required": required})
        if not wait:
            if as_json:
                print_json(summary(job, ()))
            else:
                results.print(job["job_id"], markup=False)
            return
        _wait(client, job["job_id"], output, as_json=as_json)


def _wait(client: Client, job_id: str, output: Path | None, *, as_json: bool) -> None:
    """Show a job until its end, fetch its files and end with its exit status."""
    progress = consoles()[1]
    try:
        job = watch(progress, client.follow(job_id)) or client.job(job_id)
    except KeyboardInterrupt:
        progress.print(f"The job goes on; lectern cancel {job_id} stops it.", markup=False, soft_wrap=True)
        raise
    _finish(client, job, output, as_json=as_json)
    raise typer.Exit(EXIT_STATUS.get(job["status"], 1))


def _finish(client: Client, job: Job, output: Path | None, *, as_json: bool) -> None:
    fetched = fetch_files(client, job, output or Path(folder_name(job)))
    if as_json:
        print_json(summary(job, fetched))
    else:
        print_outcome(consoles()[0], job, fetched)


@app.command()
def jobs(
    *,
    as_json: AsJson = False,
    status: Annotated[Status | None, typer.Option(help="Only jobs with this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, newest first.")] = 20,
) -> None:
    """List your jobs."""
    with connected() as client:
        found = list(client.jobs(status.value if status else None, limit))
    if as_json:
        print_json({"jobs": found})
    else:
        print_jobs(consoles()[0], found)


@app.command()
def show(job: JobId, *, as_json: AsJson = False) -> None:
    """Tell everything about one job."""
    with connected() as client:
        found = client.job(client.full_id(job))
    if as_json:
        print_json(found)
    else:
        print_job(consoles()[0], found)


@app.command()
def fetch(job: JobId, *, as_json: AsJson = False, output: Output = None) -> None:
    """Fetch the files of a job."""
    with connected() as client:
        found = client.job(client.full_id(job))
        if not found["artifacts"]:
            reason = found["error"]["message"] if found["error"] else f"It is {found['status']}."
            raise CommandError(f"This job has no files. {reason}")
        _finish(client, found, output, as_json=as_json)


@app.command()
def cancel(job: JobId, *, as_json: AsJson = False) -> None:
    """Stop working on a job; what was made of it stays, and `retry` goes on from there."""
    with connected() as client:
        _tell(client.cancel(client.full_id(job)), as_json=as_json)


@app.command()
def retry(job: JobId, *, wait: Wait = False, as_json: AsJson = False, output: Output = None) -> None:
    """Make what is missing of a failed, partial or cancelled job.

    With --wait the exit status is 0 for done, 3 for partial, 4 for failed, 5 for cancelled.

    Ctrl-C ends the waiting, not the job.
    """
    with connected() as client:
        begun = client.retry(client.full_id(job))
        if not wait:
            _tell(begun, as_json=as_json)
            return
        _wait(client, begun["job_id"], output, as_json=as_json)


def _tell(job: Job, *, as_json: bool) -> None:
    if as_json:
        print_json(summary(job, ()))
    else:
        print_outcome(consoles()[0], job, ())


@app.command()
def delete(job: JobId) -> None:
    """Delete a job and everything that was made of it."""
    with connected() as client:
        client.delete(client.full_id(job))


@app.command(name="sign-in")
def sign_in() -> None:
    """Print a link that signs a browser in once."""
    with connected() as client:
        consoles()[0].print(Text(client.sign_in_link()), soft_wrap=True)


if __name__ == "__main__":
    app()
