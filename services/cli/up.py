"""`lectern up`: the whole system on this machine, and a source sent through it."""

import asyncio
import logging
import os
import threading
from pathlib import Path

from rich.console import Console
from rich.text import Text

from deploy.local.errors import LocalSystemError, StopRequestedError
from deploy.local.keeper import Event, Happening
from deploy.local.supervisor import Options, Supervisor
from services.cli.client import TERMINAL, Client
from services.cli.connection import CommandError, Connection, kept_key
from services.cli.downloads import fetch, folder_name
from services.cli.progress import watch
from services.cli.report import print_outcome

_STYLES = {Happening.READY: "green", Happening.STARTED: "dim"}


async def run(console: Console, home: Path, *, port: int | None, source: Path | None) -> None:
    """Serve until asked to stop. Raises CommandError when the system cannot start."""

    def tell(event: Event) -> None:
        console.print(Text(event.message, _STYLES.get(event.happening, "yellow")), soft_wrap=True)

    logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # the supervisor says itself what becomes of the broker
    options = Options(on_event=tell) if port is None else Options(on_event=tell, gateway_port=port)
    stopped = threading.Event()
    try:
        async with Supervisor(home, options) as system:
            connection = Connection(system.gateway_url or "", _key(home))
            sending = asyncio.create_task(asyncio.to_thread(_serve_user, console, connection, home, source, stopped))
            try:
                await system.wait()
            finally:
                stopped.set()
            console.print("Stopping; Ctrl-C once more ends everything at once ...")
        await sending
    except StopRequestedError:
        console.print("Stopped before everything had started.")
    except LocalSystemError as error:
        raise CommandError("\n".join(filter(None, [error.public_message, error.log_tail()]))) from None


def _key(home: Path) -> str:
    return os.environ.get("GATEWAY_BOOTSTRAP_KEY") or kept_key(home)


def _serve_user(
    console: Console, connection: Connection, home: Path, source: Path | None, stopped: threading.Event
) -> None:
    """Send the source, show how it goes and where its handout is, then how to open the page."""
    try:
        with Client(connection) as client:
            if source is not None:
                _handle(console, client, home, source, stopped)
            if not stopped.is_set():
                console.print(Text.assemble("\nLectern serves ", (connection.url, "bold"), " until Ctrl-C."))
                console.print("This link signs your browser in, once; `lectern sign-in` makes another:")
                console.print(Text(f"  {client.sign_in_link()}", "bold cyan"), soft_wrap=True)
    except CommandError as error:
        if not stopped.is_set():
            console.print(Text(str(error), "red"))
            console.print(f"Lectern serves {connection.url} until Ctrl-C.")


def _handle(console: Console, client: Client, home: Path, source: Path, stopped: threading.Event) -> None:
    console.print(Text(f"\nSending {source} ..."), soft_wrap=True)
    job_id = client.submit(source, {})["job_id"]
    job = watch(console, client.follow(job_id, stopped.is_set))
    if job is None or job["status"] not in TERMINAL:
        console.print("The handout is not finished: work on it goes on at the next start.")
    else:
        print_outcome(console, job, fetch(client, job, home / "handouts" / folder_name(job)))
