"""The models as JSON artefacts, in canonical bytes: the same model always gives the same file."""

import json
from typing import Any

from pydantic import BaseModel

from shared.documents import SlideBlock, SourceDocument, StudyGuide


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys, two spaces of indent and a final newline. Lone surrogates become U+FFFD."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2, allow_nan=False)
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode() + b"\n"


def model_json(model: BaseModel) -> bytes:
    """A model as canonical JSON."""
    return canonical_json(model.model_dump(mode="python"))


def slides_json(document: SourceDocument) -> bytes:
    """The slides of a recording: `[{"number", "title", "text", "image", "spans": [{"start_s", "end_s"}]}]`."""
    slides = [
        {
            "number": block.number,
            "title": block.title,
            "text": block.text,
            "image": block.image.name,
            "spans": [span.model_dump() for span in block.spans],
        }
        for block in document.blocks
        if isinstance(block, SlideBlock)
    ]
    return canonical_json(slides)


def json_schemas() -> dict[str, dict[str, Any]]:
    """The published JSON Schemas by file name, such as `source_document-1.0.schema.json`."""
    models: dict[str, type[BaseModel]] = {"source_document": SourceDocument, "study_guide": StudyGuide}
    schemas = {}
    for name, model in models.items():
        version = model.model_fields["schema_version"].default
        schema = model.model_json_schema(mode="serialization")
        schemas[f"{name}-{version}.schema.json"] = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"urn:lectern:{name}:{version}",
            **schema,
        }
    return schemas
