"""What every command has in common: where it prints, how a fault ends it, and its connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from services.cli.client import Client
from services.cli.connection import CommandError, find_gateway, home_folder

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def consoles() -> tuple[Console, Console]:
    """Results and progress: standard output carries nothing but what was asked for."""
    return Console(highlight=False), Console(stderr=True, highlight=False)


@contextmanager
def explained() -> Iterator[None]:
    """Say what a CommandError says and end with its status."""
    try:
        yield
    except CommandError as error:
        consoles()[1].print(Text(str(error), "red"), soft_wrap=True)
        raise typer.Exit(error.exit_status) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@contextmanager
def connected() -> Iterator[Client]:
    """A client of the gateway that the environment or the state folder names."""
    with explained(), Client(find_gateway(home_folder())) as client:
        yield client
