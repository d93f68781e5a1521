"""The handout as PDF, set by Typst. Content goes in as JSON data and is never read as markup (REN-4)."""

import datetime as dt
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typst

from services.rendering.domain.handout import RenderOptions
from services.rendering.domain.text import breakable, clip
from services.rendering.domain.view import HandoutView
from services.rendering.formats.pictures import PreparedPicture
from shared.errors import EngineError

_HERE = Path(__file__).resolve().parent.parent
FONTS = _HERE / "fonts"
TEMPLATE = _HERE / "templates" / "handout.typ"
LONGEST_WORD = 24
LONGEST_TERM = 13  # a term has a column of 42 mm
FOOTER_CHARACTERS = 70
TRANSCRIPT_WORDS = 25_000  # about three hours of speech on 25 pages; beyond, only what the handout cites
_NOT_TEXT = frozenset({"anchor", "code", "labels", "language", "name", "paper", "pictures_by_name"})
_NO_GLYPH = "could not be displayed with"


def write_pdf(
    view: HandoutView,
    pictures: Mapping[str, PreparedPicture],
    created_on: dt.date,
    options: RenderOptions,
    folder: Path,
) -> bytes:
    """Set the handout; `folder` is a scratch folder that holds the prepared pictures.

    The result is PDF/UA-1. Only where a character is in no font at hand (first the shipped ones, then, if allowed,
    the system's) it is a tagged PDF without that claim, and says in its notes that characters are missing.

    Raises:
        EngineError: Typst failed for any other reason.
    """
    shutil.copyfile(TEMPLATE, folder / "handout.typ")
    moment = dt.datetime.combine(created_on, dt.time(), tzinfo=dt.UTC)
    attempts = [(False, True), *([(True, True)] if options.system_fonts else []), (options.system_fonts, False)]
    for system_fonts, accessible in attempts:
        content = pdf_content(view, pictures, created_on, options, complete=accessible)
        (folder / "content.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        try:
            return bytes(
                typst.compile(
                    str(folder / "handout.typ"),
                    root=str(folder),
                    font_paths=typst.Fonts(
                        include_system_fonts=system_fonts, include_embedded_fonts=True, font_paths=[str(FONTS)]
                    ),
                    format="pdf",
                    pdf_standards=["ua-1"] if accessible else [],
                    timestamp=moment,
                )
            )
        except typst.TypstError as error:
            if not accessible or _NO_GLYPH not in str(error):
                raise EngineError(f"typst: {error}") from error
    raise EngineError("typst: no attempt was made")


def pdf_content(
    view: HandoutView,
    pictures: Mapping[str, PreparedPicture],
    created_on: dt.date,
    options: RenderOptions,
    *,
    complete: bool = True,
) -> dict[str, Any]:
    """What the template reads. `complete` is false where some characters have no glyph."""
    content: dict[str, Any] = asdict(view)
    words = sum(len(passage.text.split()) for passage in view.passages)
    if words > TRANSCRIPT_WORDS:
        content["passages"] = [p for p in content["passages"] if p["cited"]]
    content |= {
        "paper": options.paper,
        "short_title": clip(view.title, FOOTER_CHARACTERS),
        "created": {"year": created_on.year, "month": created_on.month, "day": created_on.day},
        "only_cited": words > TRANSCRIPT_WORDS or not view.is_recording,
        "pictures_by_name": {
            name: {"path": picture.path.name, "width": picture.width, "height": picture.height}
            for name, picture in pictures.items()
        },
    }
    if not complete:
        content["notes"] = [*content["notes"], view.labels.missing_characters]
    _drop_dead_links(content)
    broken: dict[str, Any] = _breakable(content)
    return broken


def _drop_dead_links(content: dict[str, Any]) -> None:
    """Places whose passage is not appended keep their label and lose their link."""
    anchors = {passage["anchor"] for passage in content["passages"]}

    def visit(node: Any) -> None:
        if isinstance(node, dict):
            if "label" in node and "text" not in node and node.get("anchor") not in anchors:
                node["anchor"] = None
            for value in node.values():
                visit(value)
        elif isinstance(node, list | tuple):
            for value in node:
                visit(value)

    visit(content)


def _breakable(node: Any, longest: int = LONGEST_WORD) -> Any:
    """Every text with places to break in its long words, more of them in tables of many columns."""
    if isinstance(node, str):
        return breakable(node, longest)
    if isinstance(node, list | tuple):
        return [_breakable(value, longest) for value in node]
    if isinstance(node, dict):
        if "column_count" in node:
            longest = max(5, 72 // max(3, node["column_count"]))
        return {
            key: value if key in _NOT_TEXT else _breakable(value, LONGEST_TERM if key == "term" else longest)
            for key, value in node.items()
        }
    return node
