"""Renders the page's templates; everything put into them is escaped."""

import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from services.gateway.jobs.view import STATUSES, UNDER_WAY, Job, JobArtifact
from shared.sizes import size_text

_STAGE_NAMES = {
    "ingest": "Prepare",
    "transcription": "Transcribe",
    "analysis": "Analyse",
    "rendering": "Typeset",
}
_STATUS_NAMES = {
    "submitted": "Waiting",
    "running": "Working",
    "failed": "Failed",
    "partial": "Partly done",
    "done": "Done",
    "cancelled": "Cancelled",
}
# What beginning again is called where it can be: a part of a handout is completed, not repeated.
_RETRY_NAMES = {
    "failed": "Try again",
    "partial": "Make what is missing",
    "cancelled": "Try again",
}
_CODE = re.compile(r"`([^`]+)`")
_MAIN = {"handout.pdf": "Open the handout", "handout.html": "Read in the browser"}


def length_text(job: Job) -> str:
    """How long the source is: `1 h 05 min`, `12 pages`."""
    if job.source.page_count is not None:
        return f"{job.source.page_count} page{'' if job.source.page_count == 1 else 's'}"
    if job.source.duration_s is None:
        return ""
    minutes, seconds = divmod(round(job.source.duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"


def time_text(moment: datetime | None) -> str:
    """A moment in UTC; a script turns it into the reader's own time."""
    return "" if moment is None else f"{moment:%d %b %Y, %H:%M} UTC"


def main_files(job: Job) -> list[tuple[str, JobArtifact]]:
    """The files people came for, with what to call them."""
    by_name = {artifact.name: artifact for artifact in job.artifacts}
    return [(label, by_name[name]) for name, label in _MAIN.items() if name in by_name]


def other_files(job: Job) -> list[JobArtifact]:
    """All the others but pictures."""
    return [artifact for artifact in job.artifacts if artifact.name not in _MAIN and "/" not in artifact.name]


def pictures(job: Job) -> list[JobArtifact]:
    """Pictures of slides and figures."""
    return [artifact for artifact in job.artifacts if "/" in artifact.name]


def inline(text: str) -> Markup:
    """One line of Markdown of which only `code` is known, as HTML."""
    parts = enumerate(_CODE.split(text))  # every second one stood between backticks
    return Markup().join(Markup("<code>{}</code>").format(part) if place % 2 else escape(part) for place, part in parts)


def prose(text: str) -> Markup:
    """Paragraphs of the same."""
    return Markup("\n").join(Markup("<p>{}</p>").format(inline(part)) for part in text.strip().split("\n\n") if part)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "size": size_text,
        "extent": length_text,
        "moment": time_text,
        "inline": inline,
        "prose": prose,
    }
    environment.globals |= {
        "stage_names": _STAGE_NAMES,
        "status_names": _STATUS_NAMES,
        "statuses": STATUSES,
        "under_way": UNDER_WAY,
        "retry_names": _RETRY_NAMES,
        "main_files": main_files,
        "other_files": other_files,
        "pictures": pictures,
    }
    return environment


def render(template: str, **values: Any) -> str:
    """The HTML of `template`."""
    return _environment().get_template(template).render(values)
