"""An operation of an OpenAPI document as a command line for a shell."""

import json
import shlex
from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from services.gateway.web.reference.schemas import Document

_CURL = 'curl -H "Authorization: Bearer $LECTERN_API_KEY"'


def curl_of(path: str, method: str, operation: Document, schemas: Mapping[str, Document]) -> str:
    """What to type; address and key come from the variables that the `lectern` command reads too."""
    address = _address(path, operation.get("parameters", ()))
    body = [part for content in _contents(operation.get("requestBody")) for part in _sent(*content, schemas)]
    # A form or JSON makes curl post by itself.
    how = [] if method == ("POST" if body else "GET") else [f"-X {method}"]
    taken = {media_type for answer in operation["responses"].values() for media_type, _ in _contents(answer)}
    options = [*how, *body, *(["-N"] if "text/event-stream" in taken else [])]
    if "application/octet-stream" in taken:
        options.append("-OJ")
    return " ".join([_CURL, *options, f'"$LECTERN_URL{address}"'])


def _address(path: str, parameters: Sequence[Document]) -> str:
    """`path` with examples in it and one in its query: filters of an example would seldom fit together."""
    query = ""
    for parameter in parameters:
        name, examples = parameter["name"], parameter.get("examples") or parameter["schema"].get("examples") or ()
        if parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", quote(str(examples[0]) if examples else name.upper()))
        elif parameter["in"] == "query" and examples and not query:
            query = "?" + urlencode({name: examples[0]})
    return path + query


def _contents(holder: Document | None) -> list[tuple[str, Document]]:
    return list((holder or {}).get("content", {}).items())


def _sent(media_type: str, content: Document, schemas: Mapping[str, Document]) -> list[str]:
    schema = content["schema"]
    schema = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
    example = content.get("example", schema.get("example", {}))
    if media_type == "application/json":
        return [f"--json {shlex.quote(json.dumps(example))}"]
    files = {name for name, found in schema["properties"].items() if found.get("format") == "binary"}
    return [f"-F {name}={'@' if name in files else ''}{shlex.quote(value)}" for name, value in example.items()]
