"""`lectern keys`: what an administrator does about API keys."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.cli.frame import AsJson, connected, consoles
from services.cli.report import plain, print_json

app = typer.Typer(help="List API keys, create and revoke them. For administrators.", no_args_is_help=True)

Key = dict[str, Any]

_COLUMNS = ("id", "state", "role", "owner", "name", "created", "expires", "last used")


class Role(StrEnum):
    """What a key may do."""

    ADMINISTRATOR = "administrator"
    USER = "user"


@app.command(name="list")
def list_(*, as_json: AsJson = False) -> None:
    """List API keys, newest first, those that are revoked or expired included."""
    with connected() as client:
        found = client.keys()
    if as_json:
        print_json({"keys": found})
    else:
        _print_list(consoles()[0], found)


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is for.")],
    *,
    owner: Annotated[str, typer.Option(help="The user it acts for, whose jobs it sees.")],
    role: Annotated[Role, typer.Option(help="Administrators also see dead letters and keys.")] = Role.USER,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="Days until it expires; by default never.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make an API key and print it, this once."""
    wanted = {"name": name, "owner": owner, "role": role.value, "expires_in_days": days}
    with connected() as client:
        made = client.create_key(wanted)
    if as_json:
        print_json(made)
        return
    results, progress = consoles()
    results.print(Text(plain(made["key"])), soft_wrap=True)
    text = f"It cannot be shown again. `lectern keys revoke {plain(made['id'])}` revokes it."
    progress.print(text, markup=False, soft_wrap=True)


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(metavar="ID", help="Id of the key, as `lectern keys list` shows it.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Refuse a key from now on, with the sessions that were made with it. There is no way back."""
    with connected() as client:
        revoked = client.revoke_key(key)
    if as_json:
        print_json(revoked)
    else:
        text = f"Revoked: {plain(revoked['name'])} of {plain(revoked['owner'])} ({plain(revoked['id'])})."
        consoles()[0].print(text, markup=False, soft_wrap=True)


def _print_list(console: Console, keys: Sequence[Key]) -> None:
    rows = [_row(key) for key in keys]
    if not console.is_terminal:  # a line each with tabs between, for other programs
        console.file.writelines("\t".join(row) + "\n" for row in rows)
        return
    table = Table(box=None, pad_edge=False)
    for column in _COLUMNS:
        table.add_column(column, no_wrap=column == "id", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def _row(key: Key) -> tuple[str, ...]:
    dates = (_minute(key[name]) for name in ("created_at", "expires_at", "last_used_at"))
    return (key["id"], _state(key), key["role"], plain(key["owner"]), plain(key["name"]), *dates)


def _state(key: Key) -> str:
    if key["revoked_at"]:
        return "revoked"
    return "expired" if key["expired"] else "usable"


def _minute(moment: str | None) -> str:
    """A date in UTC, to the minute; never: a dash."""
    return moment[:16].replace("T", " ") if moment else "-"
