"""The reference of the API says what the OpenAPI document says, in words."""

import re
import shlex
from typing import Any

import pytest

from services.gateway.app import routes_only
from services.gateway.web.reference.document import reference_of
from services.gateway.web.reference.page import api_page
from services.gateway.web.reference.schemas import limits_of, type_of
from services.gateway.web.templates import inline, prose

DOCUMENT = routes_only().openapi()
REFERENCE = reference_of(DOCUMENT)
OPERATIONS = {operation.id: operation for group in REFERENCE.groups for operation in group.operations}
METHODS = [
    (path, method, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()
]


@pytest.mark.parametrize(("path", "method", "operation"), METHODS, ids=lambda value: str(value)[:40])
def test_every_operation_is_shown_with_all_that_it_takes_and_answers(path: str, method: str, operation: Any) -> None:
    shown = OPERATIONS[operation["operationId"]]
    assert (shown.path, shown.method) == (path, method.upper())
    assert shown.summary
    assert shown.description
    named = {parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] != "cookie"}
    assert {parameter.name for parameter in shown.parameters} == named
    assert [answer.status for answer in shown.answers] == list(operation["responses"])
    assert (shown.body is not None) == ("requestBody" in operation)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=list(OPERATIONS))
def test_every_example_is_a_command_with_nothing_left_to_fill_in(operation: Any) -> None:
    command, *arguments = shlex.split(operation.example)
    assert command == "curl"
    assert "{" not in arguments[-1]
    pattern = re.sub(r"{\w+}", "[^/?]+", operation.path)
    assert re.fullmatch(rf"\$LECTERN_URL{pattern}(\?\w+=[\w.-]+)?", arguments[-1])
    method = "GET" if not operation.body else "POST"
    assert (arguments[arguments.index("-X") + 1] if "-X" in arguments else method) == operation.method


def test_examples_send_what_is_needed() -> None:
    assert "-F file=@week-3.mp4" in OPERATIONS["submit_job"].example
    assert '--json \'{"expires_in_days": 90, "name": "Moodle", "owner": "ana"}\'' in OPERATIONS["create_key"].example
    assert " -N " in OPERATIONS["follow_job"].example
    assert " -OJ " in OPERATIONS["get_artifact"].example
    # What throws things away never does so with all of them.
    assert OPERATIONS["purge_dead_letters"].example.endswith('?queue=rendering.guides"')


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"$ref": "#/components/schemas/Job"}, "Job"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Job"}}, "list of Job"),
        ({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}, "string (date-time) or null"),
        ({"enum": ["a4", "us-letter"], "type": "string"}, "one of: a4, us-letter"),
        ({"const": "a4"}, "a4"),
        ({}, "anything"),
        ({"format": "binary"}, "string (binary)"),
    ],
)
def test_types_are_said_in_words(schema: Any, said: str) -> None:
    assert "".join(piece.text for piece in type_of(schema)) == said


def test_limits_are_said_in_words() -> None:
    schema = {
        "anyOf": [{"type": "integer", "minimum": 30.0, "maximum": 1200.0}, {"type": "null"}],
        "default": 300,
        "examples": ["x"],
    }
    assert limits_of(schema) == ("at least 30", "at most 1200", "default 300", "such as x")
    assert limits_of({"minLength": 1, "maxLength": 9, "pattern": "^a"}) == ("at most 9 characters", "matches ^a")
    assert limits_of({"default": None}) == ()
    assert limits_of({"default": False}) == ("default false",)


def test_nothing_of_the_document_is_markup() -> None:
    assert inline("`<b>` & <i>") == "<code>&lt;b&gt;</code> &amp; &lt;i&gt;"
    assert prose("one `a`\nline\n\n\n\n<two>") == "<p>one <code>a</code>\nline</p>\n<p>&lt;two&gt;</p>"
    assert "http://&lt;x&gt;" in api_page(routes_only(), address="http://<x>")
