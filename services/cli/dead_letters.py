"""`lectern dead-letters`: what an administrator does about messages that were given up."""

import json
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.cli.client import Client, LetterFilter
from services.cli.connection import CommandError
from services.cli.frame import AsJson, connected, consoles
from services.cli.report import plain, print_json
from shared.sizes import size_text

app = typer.Typer(help="Look at messages that were given up, replay them or throw them away.", no_args_is_help=True)

Letter = dict[str, Any]

LetterId = Annotated[str, typer.Argument(metavar="ID", help="Id of the dead letter.")]
LetterIds = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of dead letters.")]
Queue = Annotated[str | None, typer.Option(help="Only those that died in this queue.")]
JobId = Annotated[str | None, typer.Option("--job", help="Only those of this job.")]
Reason = Annotated[str | None, typer.Option(help="Only those with this reason, such as attempts-exhausted.")]
Everything = Annotated[bool, typer.Option("--all", help="Every dead letter there is.")]


@app.command(name="list")
def list_(
    *,
    queue: Queue = None,
    job_id: JobId = None,
    reason: Reason = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List dead letters."""
    with connected() as client:
        found = list(client.dead_letters(LetterFilter(queue, job_id, reason), limit))
    if as_json:
        print_json({"dead_letters": found})
    else:
        _print_list(consoles()[0], found)


@app.command()
def show(letter: LetterId, *, as_json: AsJson = False) -> None:
    """Tell everything about one dead letter: the message as it was, and what was tried."""
    with connected() as client:
        found = client.dead_letter(letter)
    if as_json:
        print_json(found)
    else:
        _print_letter(consoles()[0], found)


@app.command()
def replay(
    letters: LetterIds = None,
    *,
    queue: Queue = None,
    job_id: JobId = None,
    reason: Reason = None,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Send dead letters to work again, each in its own trace and with all its attempts."""
    chosen = _chosen(letters, LetterFilter(queue, job_id, reason), everything=everything)
    with connected() as client:
        answers = [client.replay_letter(letter) for letter in letters] if letters else [client.replay_letters(chosen)]
    total = _total(answers)
    if as_json:
        print_json(total)
        return
    results, progress = consoles()
    results.print(f"{_letters(total.get('replaying', 0))} on the way back to work.", markup=False)
    if total.get("unreplayable"):
        text = f"{_letters(total['unreplayable'])} left: their queues belong to no service, they can only be purged."
        progress.print(Text(text, "yellow"), soft_wrap=True)


@app.command()
def purge(
    letters: LetterIds = None,
    *,
    queue: Queue = None,
    job_id: JobId = None,
    reason: Reason = None,
    everything: Everything = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Throw dead letters away for good. Asks before it throws away more than those named by id."""
    chosen = _chosen(letters, LetterFilter(queue, job_id, reason), everything=everything)
    with connected() as client:
        if letters:
            answers = [client.purge_letter(letter) for letter in letters]
        else:
            if not yes:
                _confirm(client, chosen)
            answers = [client.purge_letters(chosen)]
    total = _total(answers)
    if as_json:
        print_json(total)
    else:
        consoles()[0].print(f"{_letters(total.get('purged', 0))} thrown away.", markup=False)


def _chosen(letters: Sequence[str] | None, chosen: LetterFilter, *, everything: bool) -> LetterFilter:
    named = any((chosen.queue, chosen.job_id, chosen.reason))
    if bool(letters) + (named or everything) != 1:
        raise typer.BadParameter("Give ids, or at least one of --queue, --job and --reason, or --all.")
    return chosen


def is_asked() -> bool:
    """Whether somebody is there to answer a question."""
    return sys.stdin.isatty()


def _confirm(client: Client, chosen: LetterFilter) -> None:
    if not is_asked():
        raise CommandError("Say --yes to throw them away without being asked.", exit_status=2)
    some = list(client.dead_letters(chosen, 101))
    count = "more than 100 dead letters" if len(some) > 100 else _letters(len(some))
    if some and not typer.confirm(f"Throw {count} away for good?", err=True):
        raise typer.Exit(1)


def _letters(count: int) -> str:
    return f"{count} dead letter{'' if count == 1 else 's'}"


def _total(answers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    total: dict[str, int] = {}
    for answer in answers:
        for name, count in answer.items():
            total[name] = total.get(name, 0) + int(count)
    return total


def _print_list(console: Console, letters: Sequence[Letter]) -> None:
    if not letters:
        console.print("No dead letters.", markup=False)
        return
    rows = [_row(letter) for letter in letters]
    if not console.is_terminal:  # a line each with tabs between, for other programs
        console.file.writelines("\t".join(row) + "\n" for row in rows)
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("id", no_wrap=True, min_width=max(len(letter["id"]) for letter in letters))  # to be copied
    table.add_column("died", no_wrap=True, min_width=16)
    for name in ("queue", "reason", "job"):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def _row(letter: Letter) -> tuple[str, ...]:
    """Its id, when it died (UTC), queue, reason and job."""
    died = str(letter["buried_at"])[:16].replace("T", " ")
    reason = plain(letter["reason"]) + (" (replaying)" if letter["state"] == "replaying" else "")
    return letter["id"], died, plain(letter["queue"]), reason, plain(letter["job_id"] or "")


def _print_letter(console: Console, letter: Letter) -> None:
    lines = [
        ("queue", letter["queue"]),
        ("state", letter["state"]),
        ("reason", f"{letter['reason']} ({letter['code']})"),
        ("told", letter["public_message"]),
        ("job", letter["job_id"]),
        ("died", letter["buried_at"]),
        ("replays", letter["replays"]),
        ("message", f"{letter['message_id']}  ({size_text(letter['size'])})"),
        ("trace", letter["trace_url"] or letter["trace_id"]),
    ]
    console.print(Text(letter["id"], "bold"))
    for name, value in lines:
        if value is not None:
            console.print(Text.assemble((f"  {name:8} ", "dim"), plain(value)), soft_wrap=True)
    for failure in letter["history"]:
        words = f"  {failure['at']}  attempt {failure['attempt']}: {failure['error']}: {failure['text']}"
        console.print(Text(plain(words), "yellow"), soft_wrap=True)
    body = letter["body"]
    if body["base64"] is not None:
        console.print(
            Text(f"  body     base64{' (beginning)' if body['truncated'] else ''}: {body['base64']}"), soft_wrap=True
        )
    else:
        for line in json.dumps(body["json"], indent=2, ensure_ascii=False).splitlines():
            console.print(Text(f"  {plain(line)}"), soft_wrap=True)
