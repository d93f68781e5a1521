"""Schemas of an OpenAPI document in words: the names of types, limits of values, fields of objects."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]

_REFERENCE = "#/components/schemas/"


@dataclass(frozen=True)
class Piece:
    """A part of a type's name; `schema` is the schema that it links to."""

    text: str
    schema: str | None = None


@dataclass(frozen=True)
class Field:
    """A parameter or a property."""

    name: str
    type: tuple[Piece, ...]
    required: bool
    description: str
    limits: tuple[str, ...]
    place: str = ""


def fields_of(schema: Document) -> tuple[Field, ...]:
    """The properties of an object."""
    needed = schema.get("required", ())
    return tuple(
        Field(name, type_of(found), name in needed, found.get("description", ""), limits_of(found))
        for name, found in schema.get("properties", {}).items()
    )


def type_of(schema: Document) -> tuple[Piece, ...]:
    """The type of a schema as one would say it: `list of Job`, `string or null`, `one of: a4, us-letter`."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_REFERENCE)
        return (Piece(name, name),)
    for word in ("anyOf", "oneOf"):
        if schema.get(word):
            return _joined([type_of(variant) for variant in schema[word]])
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return (Piece(("one of: " if len(values) > 1 else "") + ", ".join(map(str, values))),)
    if schema.get("type") == "array":
        return (Piece("list of "), *type_of(schema.get("items", {})))
    kind, form = schema.get("type", "anything" if "format" not in schema else "string"), schema.get("format")
    return (Piece(f"{kind} ({form})" if form else str(kind)),)


def _joined(variants: Sequence[tuple[Piece, ...]]) -> tuple[Piece, ...]:
    first, *others = variants
    return (*first, *(piece for variant in others for piece in (Piece(" or "), *variant)))


def limits_of(schema: Document) -> tuple[str, ...]:
    """What a value has to keep to, and what it is when it is left out."""
    found = [limit for variant in (schema, *schema.get("anyOf", ())) for limit in _own_limits(variant)]
    if schema.get("default") not in (None, {}, []):
        found.append(f"default {_plain(schema['default'])}")
    if examples := schema.get("examples"):
        found.append(f"such as {_plain(examples[0])}")
    return tuple(found)


def _own_limits(schema: Document) -> Iterator[str]:
    words = {
        "minimum": "at least {}",
        "maximum": "at most {}",
        "minLength": "at least {} characters",
        "maxLength": "at most {} characters",
        "pattern": "matches {}",
    }
    for name, sentence in words.items():
        # One character at least is no limit that anybody has to be told.
        if name in schema and (name, schema[name]) != ("minLength", 1):
            yield sentence.format(_plain(schema[name]))


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value, ensure_ascii=False)
