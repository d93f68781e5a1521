"""`lectern up`: the whole system on this machine, and a source sent through it."""

import asyncio
import logging
import threading
from collections.abc import Callable
from pathlib import Path

import typer
from rich.console import Console
from rich.text import Text

from deploy.local.errors import AlreadyRunningError, LocalSystemError, StopRequestedError
from deploy.local.keeper import Event, Happening
from deploy.local.supervisor import Options, Supervisor
from services.cli.client import TERMINAL, Client, Job
from services.cli.connection import CommandError, Connection, local_connection
from services.cli.downloads import fetch, folder_name
from services.cli.progress import watch
from services.cli.report import EXIT_STATUS, print_outcome
from services.cli.sources import check_file
from services.cli.waiting import how_to_go_on

_STYLES = {Happening.READY: "green", Happening.STARTED: "dim"}


def run(console: Console, home: Path, *, port: int | None, source: Path | None) -> None:
    """Serve until asked to stop; where a system runs from `home` already, send the source there.

    Raises CommandError when neither can be, or the source is no file to be sent.
    """
    if source is not None:
        check_file(source)
    try:
        asyncio.run(_serve(console, home, port=port, source=source))
    except AlreadyRunningError as running:
        _use_running(console, home, running, source)
    except StopRequestedError:
        console.print("Stopped before everything had started.")
    except LocalSystemError as error:
        raise CommandError("\n".join(filter(None, [error.public_message, error.log_tail()]))) from None


async def _serve(console: Console, home: Path, *, port: int | None, source: Path | None) -> None:
    def tell(event: Event) -> None:
        console.print(Text(event.message, _STYLES.get(event.happening, "yellow")), soft_wrap=True)

    logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # the supervisor says itself what becomes of the broker
    options = Options(on_event=tell) if port is None else Options(on_event=tell, gateway_port=port)
    stopped = threading.Event()
    async with Supervisor(home, options) as system:
        connection = local_connection(system.gateway_url or "", home)
        sending = asyncio.create_task(asyncio.to_thread(_serve_user, console, connection, home, source, stopped))
        try:
            await system.wait()
        finally:
            stopped.set()
        console.print("Stopping; Ctrl-C once more ends everything at once ...")
    await sending


def _serve_user(
    console: Console, connection: Connection, home: Path, source: Path | None, stopped: threading.Event
) -> None:
    """Send the source, show how it goes and where its handout is, then how to open the page."""
    with Client(connection) as client:
        if source is not None:
            _unless_stopped(console, stopped, lambda: _handle(console, client, home, source, stopped))
        _unless_stopped(console, stopped, lambda: _tell_page(console, client, f"{connection.url} until Ctrl-C"))


def _unless_stopped(console: Console, stopped: threading.Event, work: Callable[[], object]) -> None:
    """Do it and tell its faults; the end of the system is none."""
    if stopped.is_set():
        return
    try:
        work()
    except CommandError as error:
        if not stopped.is_set():
            console.print(Text(str(error), "red"), soft_wrap=True)


def _tell_page(console: Console, client: Client, where: str) -> None:
    console.print(Text.assemble("\nLectern serves ", (where, "bold"), "."))
    console.print("This link signs your browser in, once; `lectern sign-in` makes another:")
    console.print(Text(f"  {client.sign_in_link()}", "bold cyan"), soft_wrap=True)


def _handle(console: Console, client: Client, home: Path, source: Path, stopped: threading.Event) -> Job:
    """Send the source and fetch what was made of it; the job as it was last."""
    console.print(Text(f"\nSending {source} ..."), soft_wrap=True)
    sent = client.submit(source, {})
    try:
        job = watch(console, client.follow(sent["job_id"], stopped.is_set)) or sent
    except KeyboardInterrupt:
        console.print(how_to_go_on([sent]), markup=False, soft_wrap=True)
        raise
    if job["status"] in TERMINAL:
        print_outcome(console, job, fetch(client, job, home / "handouts" / folder_name(job)))
    else:
        console.print("The handout is not finished: work on it goes on at the next start.")
    return job


def _use_running(console: Console, home: Path, running: AlreadyRunningError, source: Path | None) -> None:
    """Send the source to the system that another launcher runs, and end with the status of what becomes of it."""
    url = running.gateway_url
    if url is not None and source is None:
        raise CommandError(f"{running.public_message} `lectern sign-in` makes a link to its page.")
    with Client(local_connection(url or "", home)) as client:
        if url is None or source is None or not client.is_ready():
            raise CommandError(f"Lectern is still starting from {home}: try again when it serves its page.")
        console.print(Text(f"{running.public_message} The file is sent there."), soft_wrap=True)
        job = _handle(console, client, home, source, threading.Event())
        _tell_page(console, client, url)
    if status := EXIT_STATUS.get(job["status"], 1):
        raise typer.Exit(status)
