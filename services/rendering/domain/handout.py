"""What rendering takes in and gives out, independent of storage and messages."""

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from shared.documents import SourceDocument, StudyGuide, Transcript

Paper = Literal["a4", "us-letter"]


@dataclass(frozen=True)
class RenderOptions:
    """How a handout is set.

    `system_fonts` lets scripts that the shipped fonts lack (such as CJK) use fonts of this machine; text that the
    shipped fonts cover looks the same with and without it.
    """

    paper: Paper = "a4"
    system_fonts: bool = True


@dataclass(frozen=True)
class Handout:
    """Everything a format needs. `images / "slides/001.png"` is where a picture named so is read."""

    document: SourceDocument
    guide: StudyGuide
    transcript: Transcript | None
    images: Path
    created_on: dt.date
    options: RenderOptions = field(default_factory=RenderOptions)


@dataclass(frozen=True)
class Artifact:
    """A finished file: `name` is its path relative to the output folder, `path` where it lies."""

    name: str
    media_type: str
    path: Path
