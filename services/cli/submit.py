"""`lectern submit`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.cli.batch import Batch, send_all, send_one, tell_choice, wait_for_all
from services.cli.client import Client
from services.cli.connection import CommandError, NoAccessError
from services.cli.frame import AsJson, connected, consoles
from services.cli.report import print_json, summary
from services.cli.sources import Source, chosen_sources
from services.cli.waiting import Output, Wait, how_to_go_on, wait_for
from shared.events import PRODUCTS

HELP = """Make a handout of each FILE.

A folder stands for the recordings and PDFs in it, - for standard input. Each file is a job of its own: one that fails \
keeps no other. What is skipped is told.

The exit status is 0 when all was sent, 1 when a file could not be, 2 for wrong usage. With --wait it is that of the \
worst job: 0 for done, 3 for partial, 4 for failed, 5 for cancelled.

Ctrl-C ends the waiting, not the jobs.
"""


class Paper(StrEnum):
    """Paper sizes."""

    A4 = "a4"
    US_LETTER = "us-letter"


Files = Annotated[
    list[str],
    typer.Argument(metavar="FILE", help="Recordings (video or audio) and PDFs; folders of them; - for standard input."),
]


def _products(given: str) -> str:
    names = list(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))
    if not names:
        raise typer.BadParameter(f"Name at least one of {', '.join(PRODUCTS)}.")
    unknown = [name for name in names if name not in PRODUCTS]
    if unknown:
        raise typer.BadParameter(f"There is no product {unknown[0]!r}. Those that there are: {', '.join(PRODUCTS)}.")
    return ",".join(names)


def submit(
    files: Files,
    *,
    wait: Wait = False,
    as_json: AsJson = False,
    output: Output = None,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Folders within folders too.")] = False,
    name: Annotated[str, typer.Option(help="What to call what comes by standard input.")] = "standard input",
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
    """Send files, and wait for them where that is asked for."""
    fields = {"paper": paper.value, "language": language, "required": required}
    with connected() as client, chosen_sources(files, recursive=recursive, name=name) as chosen:
        if len(files) > 1 or Path(files[0]).is_dir():
            _submit_several(client, Batch(chosen), fields, output, wait=wait, as_json=as_json)
        elif not chosen.sources:
            raise CommandError(f"{files[0]} does not exist.", exit_status=2)
        else:
            _submit_one(client, chosen.sources[0], fields, output, wait=wait, as_json=as_json)


def _submit_one(
    client: Client, source: Source, fields: dict[str, str], output: Path | None, *, wait: bool, as_json: bool
) -> None:
    job = send_one(client, source, fields)
    if wait:
        wait_for(client, job, output, as_json=as_json)
    elif as_json:
        print_json(summary(job, ()))
    else:
        consoles()[0].print(job["job_id"], markup=False)


def _submit_several(
    client: Client, batch: Batch, fields: dict[str, str], output: Path | None, *, wait: bool, as_json: bool
) -> None:
    results, notes = consoles()
    shown = None if as_json else results
    tell_choice(notes, batch.chosen)
    if not batch.chosen.sources:
        raise CommandError("There is nothing to send: no recording and no PDF was found.", exit_status=2)
    try:
        send_all(client, batch, fields, None if wait else shown, notes)
        if wait:
            wait_for_all(client, batch, output or Path(), shown, notes)
    except (KeyboardInterrupt, NoAccessError):
        if as_json and batch.jobs:  # without their ids a program could only send them again
            print_json(batch.content())
        if told := how_to_go_on(batch.jobs.values()):
            notes.print(told, markup=False, soft_wrap=True)
        raise
    if as_json:
        print_json(batch.content())
    notes.print(batch.tally(), markup=False, soft_wrap=True)
    raise typer.Exit(batch.exit_status)
