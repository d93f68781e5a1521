"""The gateway's contracts as documents: OpenAPI of its API, AsyncAPI of the events behind it."""

import asyncio
import importlib
import json
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import Response

from services.gateway.problems import Problem, responses

router = APIRouter(include_in_schema=False)

# An unknown caller, a body that is too large, another host's name, an unknown query parameter, a service that is away.
_ERRORS = frozenset({401, 413, 421, 422, 503})
_ERRORS_OF_BODIES = frozenset({408, 415})  # one that comes too slowly, or packed


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of `app`, with the schema of its errors; made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=app.openapi_tags,
            license_info=app.license_info,
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= problem.pop("$defs", {}) | {"Problem": problem}
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for methods in document["paths"].values():
            for method, operation in methods.items():
                _add_common_errors(method, operation)
        app.openapi_schema = document
    return app.openapi_schema


def _add_common_errors(method: str, operation: dict[str, Any]) -> None:
    """Declare what middleware and dependencies answer at every address, before its own route is asked.

    FastAPI's own 422, of another shape than ours, goes by that.
    """
    common = _ERRORS | _ERRORS_OF_BODIES if method == "post" else _ERRORS
    found = operation["responses"] | {str(status): answer for status, answer in responses(*common).items()}
    operation["responses"] = dict(sorted(found.items()))


# Anybody may ask for these, so what is sent is made once, when it is first asked for.


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """What the API can do."""
    state = request.app.state
    if not hasattr(state, "openapi_text"):
        state.openapi_text = _text(request.app.openapi())
    return Response(state.openapi_text, media_type="application/json")


@router.get("/asyncapi.json")
async def asyncapi(request: Request) -> Response:
    """What events travel."""
    state = request.app.state
    if not hasattr(state, "asyncapi_text"):
        state.asyncapi_text = await asyncio.to_thread(_asyncapi_text)
    return Response(state.asyncapi_text, media_type="application/json")


def _asyncapi_text() -> bytes:
    # Imported here: it needs the schema of every event.
    return _text(importlib.import_module("shared.messaging.asyncapi").asyncapi_document())


def _text(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
