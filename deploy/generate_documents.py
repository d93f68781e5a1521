"""`python -m deploy.generate_documents`: writes the references that are made from the code; `--check` compares them.

What they are made of: settings classes, the gateway's routes, the messages, and the published models. No server is
needed and no connection is opened.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from deploy.configuration_page import configuration_page
from services.gateway.app import routes_only
from services.rendering.formats.data import json_schemas
from shared.documents import TimeSpan, Transcript
from shared.messaging.asyncapi import asyncapi_document

DOCS = Path(__file__).resolve().parents[1] / "docs"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
# `transcript.json` and `slides.json` carry no version themselves: a change that breaks readers gets a new file name.
UNVERSIONED = "1.0"


class PublishedSlide(BaseModel):
    """A slide of a recording, in its fullest build. `spans` are the times it was on screen, in order."""

    model_config = ConfigDict(extra="forbid")

    number: int = Field(ge=1)
    title: str
    text: str
    image: str = Field(description="Path of its picture among the artefacts.", examples=["slides/001.png"])
    spans: tuple[TimeSpan, ...] = Field(min_length=1)


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of each published artefact, by the name of its file without the ending."""
    versioned = {name.partition("-")[0]: schema for name, schema in json_schemas().items()}
    return {
        **versioned,
        "transcript": _identified("transcript", Transcript.model_json_schema(mode="serialization")),
        "slides": _identified("slides", TypeAdapter(tuple[PublishedSlide, ...]).json_schema(mode="serialization")),
    }


def _identified(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": DIALECT, "$id": f"urn:lectern:{name}:{UNVERSIONED}", **schema}


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def documents() -> dict[str, str]:
    """The text of every generated document, by its path in `docs/`."""
    makers: dict[str, Callable[[], str]] = {
        "configuration.md": configuration_page,
        "asyncapi.json": lambda: _json(asyncapi_document()),
        "openapi.json": lambda: _json(routes_only().openapi()),
    }
    made = {path: make() for path, make in makers.items()}
    return made | {f"schemas/{name}.json": _json(schema) for name, schema in schemas().items()}


def stale(folder: Path = DOCS) -> list[str]:
    """Paths of the documents in `folder` that are not what the code says now."""
    return [
        path
        for path, text in documents().items()
        if not (folder / path).is_file() or (folder / path).read_text(encoding="utf-8") != text
    ]


def write(folder: Path = DOCS) -> None:
    """Write all of them into `folder`."""
    for path, text in documents().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0, or 1 when `--check` finds a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a document is out of date")
    if not parser.parse_args(arguments).check:
        write()
        return 0
    differing = stale()
    for path in differing:
        sys.stderr.write(f"docs/{path} is out of date: run `make documents` and commit the result.\n")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
