"""Every error leaves as RFC 9457 problem details: what is wrong, what to do, and the trace that tells us more.

Browsers that ask for a page get the same as one.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from services.gateway.accept import prefers_html
from services.gateway.headers import add_security_headers
from services.gateway.methods import allowed_methods
from services.gateway.patterns import fault_message
from services.gateway.web.templates import render
from shared.errors import LecternError, ObjectNotFoundError, RateLimitError, SourceTooLargeError
from shared.telemetry import current_trace_id

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5


class FieldFault(BaseModel):
    """What is wrong with one field of a request."""

    field: str
    message: str


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:lectern:problem:not-found",
                "title": "Not Found",
                "status": 404,
                "detail": "There is no such job.",
                "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
            }
        }
    )

    type: str
    title: str
    status: int
    detail: Annotated[str, Field(description="What is wrong and what to do about it.")]
    trace_id: str | None = None
    errors: list[FieldFault] | None = None


class ProblemError(Exception):
    """A request that cannot be served. `code` ends the problem's type."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[FieldFault] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.errors = list(errors)


def not_found(what: str = "job") -> ProblemError:
    """The same answer for what does not exist and for what belongs to somebody else."""
    return ProblemError(HTTPStatus.NOT_FOUND, "not-found", f"There is no such {what}.")


def problem_response(error: ProblemError, accept: str = "") -> Response:
    """The answer that tells `error`: a page where `accept`, the request's header, is a browser's, else JSON."""
    problem = Problem(
        type=f"urn:lectern:problem:{error.code}",
        title=error.status.phrase,
        status=error.status.value,
        detail=error.detail,
        trace_id=current_trace_id(),
        errors=error.errors or None,
    )
    headers = {**error.headers, "Vary": "Accept"}
    response: Response
    if prefers_html(accept):
        response = HTMLResponse(render("problem.html", problem=problem), error.status.value, headers=headers)
    else:
        content = problem.model_dump(mode="json", exclude_none=True)
        response = JSONResponse(content, error.status.value, headers=headers, media_type=MEDIA_TYPE)
    add_security_headers(response.headers)
    return response


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI description of problem answers with these status codes."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: schema}} for status in statuses}


def as_problem(error: ProblemError | LecternError) -> ProblemError:
    """What a caller is told about an expected fault."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, SourceTooLargeError):
        return ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", error.public_message)
    if isinstance(error, ObjectNotFoundError):
        return ProblemError(HTTPStatus.NOT_FOUND, "not-found", error.public_message)
    if isinstance(error, RateLimitError):
        headers = {"Retry-After": str(max(1, round(error.retry_after_s)))}
        return ProblemError(HTTPStatus.TOO_MANY_REQUESTS, "rate-limit", error.public_message, headers=headers)
    if error.retryable:
        headers = {"Retry-After": str(RETRY_AFTER_S)}
        detail = "Lectern is not fully available right now. Try again in a few seconds."
        return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", detail, headers=headers)
    return ProblemError(HTTPStatus.BAD_REQUEST, error.code.replace("_", "-"), error.public_message)


async def refuse(error: ProblemError | LecternError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request with `error` from a middleware; a WebSocket is not opened."""
    if isinstance(error, LecternError):
        _log_fault(error)
    if scope["type"] == "websocket":
        await WebSocketClose()(scope, receive, send)
    else:
        accept = Headers(scope=scope).get("accept", "")
        await problem_response(as_problem(error), accept)(scope, receive, send)


def _log_fault(error: LecternError) -> None:
    log.warning("request failed", error=type(error).__name__, text=str(error)[:500])


def _told(request: Request, error: ProblemError) -> Response:
    return problem_response(error, request.headers.get("accept", ""))


async def _on_problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, ProblemError):
        raise error
    return _told(request, error)


async def _on_lectern_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, LecternError):
        raise error
    _log_fault(error)
    return _told(request, as_problem(error))


async def _on_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    details = {
        HTTPStatus.NOT_FOUND: "There is nothing at this address.",
        HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take this method; the Allow header lists those it does.",
    }
    code = status.phrase.lower().replace(" ", "-")
    detail = details.get(status, "The request could not be served.")
    headers = dict(error.headers or {})
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(allowed_methods(request.app.routes, request.scope))
    return _told(request, ProblemError(status, code, detail, headers=headers))


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    faults = [
        FieldFault(field=".".join(str(part) for part in fault["loc"]), message=fault_message(fault))
        for fault in error.errors()
    ]
    detail = "Some fields of the request are not valid: see `errors`."
    return _told(request, ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", detail, errors=faults))


async def _on_disconnect(_request: Request, _error: Exception) -> Response:
    log.info("the caller went away in the middle of a request")
    return Response(status_code=HTTPStatus.BAD_REQUEST)  # which nobody reads


async def _on_anything(request: Request, error: Exception) -> Response:
    log.error("request failed unexpectedly", exc_info=error)
    return _told(request, ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", LecternError.default_message))


def install_problem_handlers(app: FastAPI) -> None:
    """Let every error of `app` leave as problem details."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(LecternError, _on_lectern_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.add_exception_handler(Exception, _on_anything)
