"""Live progress of one job: a bar a stage on a terminal, a line a change elsewhere."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from services.cli.client import Job
from services.cli.report import stage_text

# A job that waits its turn has a first stage, but nothing of it runs.
_WAITING = "waiting"


def watch(console: Console, changes: Iterable[Job]) -> Job | None:
    """Show `changes` until they end; returns the last one."""
    return _watch_live(console, changes) if console.is_terminal else _watch_plainly(console, changes)


def _watch_plainly(console: Console, changes: Iterable[Job]) -> Job | None:
    said: dict[str, str] = {}
    job: Job | None = None
    for job in changes:
        if job["status"] == "submitted":
            if not said:
                said[_WAITING] = _WAITING
                console.print(_WAITING, markup=False, highlight=False)
            continue
        for stage in job["stages"]:
            text = stage_text(stage)
            if stage["status"] != "waiting" and said.get(stage["stage"]) != text:
                said[stage["stage"]] = text
                console.print(text, markup=False, highlight=False)
    return job


def _watch_live(console: Console, changes: Iterable[Job]) -> Job | None:
    columns = (
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description:<14}"),
        BarColumn(),
        TextColumn("{task.fields[state]:>9}"),
        TimeElapsedColumn(),
    )
    job: Job | None = None
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console) as progress:
        for job in changes:
            if job["status"] == "submitted":
                if not tasks:
                    tasks[_WAITING] = progress.add_task(_WAITING, total=1, state="")
                continue
            if _WAITING in tasks:
                progress.remove_task(tasks.pop(_WAITING))
            for stage in job["stages"]:
                name = stage["stage"]
                if name not in tasks:
                    if stage["status"] == "waiting":
                        continue
                    tasks[name] = progress.add_task(name, total=None, state="")
                _show(progress, tasks[name], stage)
    return job


def _show(progress: Progress, task: TaskID, stage: dict[str, Any]) -> None:
    status, done, units = stage["status"], stage["units_done"], stage["units"]
    if status in ("failed", "cancelled"):
        progress.update(task, completed=done, total=units or 1, state=status)
        progress.stop_task(task)
        return
    # One piece of work has no visible middle: its bar pulses until it is done.
    total = units if status == "done" or (units or 0) > 1 else None
    progress.update(task, completed=done, total=total, state=f"{done}/{units}" if (units or 0) > 1 else "")
