"""The `lectern` command."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import shared
from services.cli import dead_letters, keys, submit
from services.cli.client import Job
from services.cli.connection import CommandError, home_folder
from services.cli.frame import AsJson, connected, consoles, explained
from services.cli.report import print_job, print_jobs, print_json, print_outcome, summary
from services.cli.waiting import EXIT_STATUSES, Output, Wait, finish, wait_for

SAMPLE = Path(__file__).resolve().parents[2] / "deploy" / "samples" / "lecture.mp4"

_HELP = """Turns lecture recordings and documents into study handouts.

The exit status is 0 when a command did what it says, 1 when it could not, 2 for wrong usage, 130 after Ctrl-C. One \
that waits for a job ends with 0 when the job is done, 3 when it is partial, 4 when it failed, 5 when it was cancelled.
"""

app = typer.Typer(
    help=_HELP,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(keys.app, name="keys")


class Status(StrEnum):
    """Where a job can be."""

    SUBMITTED = "submitted"
    RUNNING = "running"
    FAILED = "failed"
    PARTIAL = "partial"
    DONE = "done"
    CANCELLED = "cancelled"


JobId = Annotated[str, typer.Argument(help="Id of the job, or as much of its beginning as tells.", metavar="JOB")]


def _print_version(wanted: bool) -> None:  # noqa: FBT001 -- typer's signature of a callback
    if wanted:
        versions = (
            f"lectern {shared.__version__}",
            f"HTTP API {shared.API_VERSION} (docs/openapi.json)",
            f"events {shared.EVENTS_VERSION} (docs/asyncapi.json)",
        )
        consoles()[0].print("\n".join(versions), markup=False)
        raise typer.Exit


@app.callback()
def options(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the versions and end.",
        ),
    ] = False,
) -> None:
    """Turns lecture recordings and documents into study handouts."""


@app.command()
def up(
    source: Annotated[
        Path | None, typer.Argument(metavar="SOURCE", readable=False, help="A file to make a handout of.")
    ] = None,
    *,
    home: Annotated[Path | None, typer.Option(file_okay=False, help="State folder; default LECTERN_HOME.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the page and of the API.")] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Make a handout of the bundled lecture.")] = False,
) -> None:
    """Run the whole of Lectern on this machine until Ctrl-C. Where it runs already, SOURCE is sent there."""
    from services.cli import up as launcher  # noqa: PLC0415 -- every other command starts without the supervisor

    if sample and source is not None:
        raise typer.BadParameter("Give a file or --sample, not both.")
    with explained():
        chosen = SAMPLE if sample else source and _without_tilde(source)
        launcher.run(consoles()[0], (home or home_folder()).resolve(), port=port, source=chosen)


def _without_tilde(path: Path) -> Path:
    """What the shell makes of `~/week-3.mp4`; not every one does it in `make run SOURCE=~/week-3.mp4`."""
    try:
        return path.expanduser()
    except RuntimeError:  # nobody has that name: a file may
        return path


app.command(help=submit.HELP)(submit.submit)


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


@app.command(help=f"Fetch the files of a job.\n\n{EXIT_STATUSES}")
def fetch(
    job: JobId,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Show progress until the job has ended.")] = False,
    as_json: AsJson = False,
    output: Output = None,
) -> None:
    """Fetch the files of a job."""
    with connected() as client:
        found = client.job(client.full_id(job))
        if wait:
            wait_for(client, found, output, as_json=as_json)
        if not found["artifacts"]:
            reason = found["error"]["message"] if found["error"] else f"It is {found['status']}."
            raise CommandError(f"This job has no files. {reason}")
        finish(client, found, output, as_json=as_json)


@app.command()
def cancel(job: JobId, *, as_json: AsJson = False) -> None:
    """Stop working on a job; what was made of it stays, and `retry` goes on from there."""
    with connected() as client:
        _tell(client.cancel(client.full_id(job)), as_json=as_json)


@app.command(
    help=f"Make what is missing of a failed, partial or cancelled job.\n\n{EXIT_STATUSES}\n\n"
    "Ctrl-C ends the waiting, not the job."
)
def retry(job: JobId, *, wait: Wait = False, as_json: AsJson = False, output: Output = None) -> None:
    """Make what is missing of a failed, partial or cancelled job."""
    with connected() as client:
        begun = client.retry(client.full_id(job))
        if not wait:
            _tell(begun, as_json=as_json)
            return
        wait_for(client, begun, output, as_json=as_json)


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
