"""What the commands print: for people on one hand, one JSON object on the other."""

import json
import sys
import unicodedata
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.cli.client import TERMINAL, Job
from services.cli.downloads import Fetched
from shared.sizes import size_text

EXIT_STATUS = {"done": 0, "partial": 3, "failed": 4, "cancelled": 5}
_COLOURS = {
    "done": "green",
    "partial": "yellow",
    "failed": "red",
    "cancelled": "magenta",
    "running": "cyan",
    "submitted": "dim",
}

# Persian words and families of emoji are spelled with them.
_JOINERS = "\u200c\u200d"
# Statuses of the stage that tells where a job is.
_TELLING = ("running", "failed", "cancelled")


def plain(text: object) -> str:
    """Text from a source on one line, without what a terminal would obey."""
    return "".join(character if _is_shown(character) else " " for character in str(text))


def _is_shown(character: str) -> bool:
    return character in _JOINERS or not unicodedata.category(character).startswith("C")


def print_json(content: dict[str, Any]) -> None:
    """One JSON object on standard output."""
    sys.stdout.write(json.dumps(content, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def summary(job: Job, fetched: Sequence[Fetched]) -> dict[str, Any]:
    """The object that `--json` prints."""
    content: dict[str, Any] = {
        "job_id": job["job_id"],
        "status": job["status"],
        "trace_id": job["trace_id"],
        "artifacts": [
            {"name": file.name, "path": str(file.path), "size": file.size, "sha256": file.sha256} for file in fetched
        ],
        "warnings": [*job["warnings"], *job["missing"]],
    }
    if job["error"]:
        content["error"] = job["error"]
    return content


def print_outcome(console: Console, job: Job, fetched: Sequence[Fetched]) -> None:
    """How a job ended and where its files are. No sentence or path is broken: other programs read them too."""
    title = plain(job["title"] or job["source"]["name"])
    console.print(Text.assemble(_status_text(job), "  ", (title, "bold")), soft_wrap=True)
    if job["error"]:
        console.print(Text(f"  {plain(job['error']['message'])}", "red"), soft_wrap=True)
    for warning in job["warnings"]:
        console.print(Text(f"  ! {plain(warning)}", "yellow"), soft_wrap=True)
    # What a run under way may still make is not missing yet.
    for sentence in job["missing"] if job["status"] in TERMINAL else ():
        console.print(Text(f"  missing: {plain(sentence)}", "yellow"), soft_wrap=True)
    for line in _places(fetched):
        console.print(Text(f"  {line}"), soft_wrap=True)
    console.print(
        Text(f"  job {job['job_id']}   trace {job.get('trace_url') or job['trace_id']}", "dim"), soft_wrap=True
    )


def _places(fetched: Sequence[Fetched]) -> list[str]:
    """A line a file; of those in a folder of their own (`slides/001.png`) one for all."""
    lines = [f"{file.path}  ({size_text(file.size)})" for file in fetched if "/" not in file.name]
    folders = dict.fromkeys(file.path.parent for file in fetched if "/" in file.name)
    for folder in folders:
        sizes = [file.size for file in fetched if "/" in file.name and file.path.parent == folder]
        lines.append(f"{folder}/  ({len(sizes)} files, {size_text(sum(sizes))})")
    return lines


def _status_text(job: Job) -> Text:
    return Text(job["status"], _COLOURS.get(job["status"], ""))


def stage_text(stage: dict[str, Any]) -> str:
    """A stage in a few words: `transcription 4/14`."""
    if stage["status"] in ("waiting", "failed", "cancelled"):
        return f"{stage['stage']} {stage['status']}"
    return f"{stage['stage']} {stage['units_done']}/{stage['units'] or '?'}"


def print_job(console: Console, job: Job) -> None:
    """Everything about a job."""
    print_outcome(console, job, ())
    if job["submitted_at"]:
        console.print(Text(f"  submitted {job['submitted_at']}", "dim"))
    for stage in job["stages"]:
        console.print(f"  {stage_text(stage)}", markup=False)
    for artifact in job["artifacts"]:
        console.print(f"  {artifact['name']}  ({size_text(artifact['size'])})", markup=False)


def print_jobs(console: Console, jobs: Sequence[Job]) -> None:
    """A table of jobs; where nobody looks at a terminal, a line each with tabs between, for other programs."""
    if not console.is_terminal:
        for job in jobs:
            fields = (job["job_id"], job["status"], _where(job), _when(job), plain(_name(job)))
            console.file.write("\t".join(fields) + "\n")  # rich would make blanks of the tabs
        return
    if not jobs:
        console.print("No jobs yet. Send a file with `lectern submit FILE`.", markup=False)
        return
    table = Table(box=None, pad_edge=False)
    for column in ("job", "status", "stage", "submitted"):
        table.add_column(column, no_wrap=True)
    table.add_column("title", overflow="fold")
    for job in jobs:
        table.add_row(job["job_id"], _status_text(job), _where(job), _when(job), Text(plain(_name(job))))
    console.print(table)


def _where(job: Job) -> str:
    current = next((stage for stage in job["stages"] if stage["status"] in _TELLING), None)
    return stage_text(current) if current and job["status"] != "submitted" else ""


def _when(job: Job) -> str:
    """When the job was submitted, in UTC, to the minute."""
    return str(job["submitted_at"] or "")[:16].replace("T", " ")


def _name(job: Job) -> str:
    return str(job["title"] or job["source"]["name"])
