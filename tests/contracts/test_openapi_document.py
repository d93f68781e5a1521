"""The OpenAPI document makes a good client: names of methods, errors, schemas (GAT-10)."""

import json
import re
from typing import Any

import pytest

from services.gateway.app import routes_only

DOCUMENT = routes_only().openapi()
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = [
    (method, path, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()
]
PROBLEM = {"$ref": "#/components/schemas/Problem"}
VERBS = {
    "get": {"get", "list", "follow"},
    "post": {"submit", "cancel", "retry", "replay", "create"},
    "delete": {"delete", "purge", "revoke"},
}
each_operation = pytest.mark.parametrize(
    ("method", "path", "operation"), OPERATIONS, ids=[operation["operationId"] for _, _, operation in OPERATIONS]
)


def _refs(content: Any) -> set[str]:
    return set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(content)))


def test_operation_ids_are_unique_in_every_language_of_clients() -> None:
    found = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len({name.replace("_", "").lower() for name in found}) == len(found) > 15


@each_operation
def test_an_operation_id_is_a_verb_that_fits_the_method_and_a_noun(method: str, path: str, operation: Any) -> None:
    verb, *noun = operation["operationId"].split("_")
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", operation["operationId"])
    assert verb in VERBS[method]
    # One thing where one is named, several where they are listed.
    assert noun[-1].endswith("s") == (verb == "list" or operation["summary"].endswith("by filter")), path


@each_operation
def test_every_operation_tells_its_errors(method: str, path: str, operation: Any) -> None:
    needed = {"401", "413", "421", "422", "503"}
    if method != "get" or path.startswith(("/v1/dead-letters", "/v1/keys")):
        needed.add("403")  # a forged request, or for administrators alone
    if "{" in path:
        needed.add("404")
    if method == "post":
        needed |= {"408", "415"}
    if "requestBody" in operation:
        needed.add("400")
    assert needed <= operation["responses"].keys()
    for status, answer in operation["responses"].items():
        if status >= "400":
            assert answer["content"] == {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            }


@each_operation
def test_every_operation_is_described_and_answers_with_a_named_schema(method: str, path: str, operation: Any) -> None:
    assert operation["summary"]
    assert operation["description"]
    assert [tag for tag in DOCUMENT["tags"] if tag["name"] == operation["tags"][0]], (method, path)
    assert len(operation["tags"]) == 1
    good = {status: answer for status, answer in operation["responses"].items() if status < "300"}
    assert good
    for answer in good.values():
        assert answer["description"] != "Successful Response"
        for media_type, content in answer.get("content", {}).items():
            assert media_type != "application/json" or "$ref" in content["schema"]
    assert operation["security"]


@each_operation
def test_every_parameter_is_described_or_has_an_example(method: str, path: str, operation: Any) -> None:
    for parameter in operation.get("parameters", ()):
        told = parameter.get("description") or parameter["schema"].get("examples")
        assert told or parameter["in"] == "cookie", (method, path, parameter["name"])


@each_operation
def test_every_field_that_is_sent_is_described(method: str, path: str, operation: Any) -> None:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = content["schema"]
        properties = SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        for name, field in properties["properties"].items():
            assert field.get("description") or "$ref" in field, (method, path, name)


def test_every_schema_is_there_used_and_described() -> None:
    used = _refs(DOCUMENT["paths"]) | _refs(SCHEMAS)
    assert used == SCHEMAS.keys()
    assert [name for name, schema in SCHEMAS.items() if not schema.get("description")] == []
