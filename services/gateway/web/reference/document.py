"""The OpenAPI document as values that a page shows: operations by tag, their parameters, bodies and answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from services.gateway.web.reference.curl import curl_of
from services.gateway.web.reference.schemas import Document, Field, Piece, fields_of, limits_of, type_of

_GENERATED = "Successful Response"  # FastAPI's description where a route gives none


@dataclass(frozen=True)
class Answer:
    """What an operation can answer, by status code."""

    status: str
    description: str
    media_type: str
    type: tuple[Piece, ...]

    @property
    def is_error(self) -> bool:
        """Whether it tells of a fault."""
        return self.status >= "400"


@dataclass(frozen=True)
class Body:
    """What a request carries. `fields` is empty where the whole body is one named schema."""

    media_type: str
    type: tuple[Piece, ...]
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Operation:
    """A method of an address."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Field, ...]
    body: Body | None
    answers: tuple[Answer, ...]
    example: str


@dataclass(frozen=True)
class Group:
    """The operations of one tag."""

    name: str
    description: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True)
class Schema:
    """A named schema: an object with fields, or one `type`. `example` is JSON."""

    name: str
    description: str
    type: tuple[Piece, ...]
    fields: tuple[Field, ...]
    example: str


@dataclass(frozen=True)
class Reference:
    """All that the page shows."""

    title: str
    version: str
    description: str
    groups: tuple[Group, ...]
    schemas: tuple[Schema, ...]


def reference_of(document: Document) -> Reference:
    """What `document`, OpenAPI 3.1 as FastAPI writes it, says."""
    info, schemas = document["info"], document["components"]["schemas"]
    operations = [
        (operation.get("tags", [""])[0], _operation(path, method, operation, schemas))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    groups = tuple(
        Group(tag["name"], tag["description"], tuple(found for name, found in operations if name == tag["name"]))
        for tag in document["tags"]
    )
    named = tuple(_schema(name, schemas[name]) for name in sorted(schemas))
    return Reference(info["title"], info["version"], info["description"], groups, named)


def _operation(path: str, method: str, operation: Document, schemas: Mapping[str, Document]) -> Operation:
    # The cookie is of the security scheme, which the page explains once.
    parameters = [found for found in operation.get("parameters", ()) if found["in"] != "cookie"]
    body = operation.get("requestBody")
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        description=operation.get("description", ""),
        parameters=tuple(_parameter(found) for found in parameters),
        body=_body(body) if body else None,
        answers=tuple(_answer(status, found) for status, found in operation["responses"].items()),
        example=curl_of(path, method.upper(), operation, schemas),
    )


def _parameter(parameter: Document) -> Field:
    schema = _given(parameter["schema"])
    description = parameter.get("description", schema.get("description", ""))
    required = bool(parameter.get("required"))
    return Field(parameter["name"], type_of(schema), required, description, limits_of(schema), parameter["in"])


def _given(schema: Document) -> Document:
    """The schema of a parameter where it is given: null stands for one that is left out."""
    variants = [variant for variant in schema.get("anyOf", ()) if variant != {"type": "null"}]
    return {**schema, **variants[0], "anyOf": ()} if len(variants) == 1 else schema


def _body(body: Document) -> Body:
    media_type, content = next(iter(body["content"].items()))
    schema = content["schema"]
    return Body(media_type, type_of(schema), fields_of(schema))


def _answer(status: str, answer: Document) -> Answer:
    description = answer["description"]
    if description == _GENERATED:
        description = HTTPStatus(int(status)).phrase
    contents: Document = answer.get("content", {})
    media_type = next(iter(contents), "")
    schema = contents[media_type].get("schema") if media_type else None
    return Answer(status, description, media_type, type_of(schema) if schema else ())


def _schema(name: str, schema: Document) -> Schema:
    example = json.dumps(schema["example"], indent=2, ensure_ascii=False) if "example" in schema else ""
    return Schema(name, schema.get("description", ""), type_of(schema), fields_of(schema), example)
