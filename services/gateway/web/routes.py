"""The web page: server-rendered, refreshed piece by piece with htmx."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from services.gateway.auth.guard import Caller, SignedIn, current_session
from services.gateway.auth.sessions import Session
from services.gateway.jobs.routes import (
    JobIdPath,
    cancel_job,
    decode_cursor,
    delete_job,
    encode_cursor,
    get_job,
    retry_job,
)
from services.gateway.jobs.view import Job, Status
from services.gateway.parts import Gateway, gateway
from services.gateway.problems import ProblemError, not_found
from services.gateway.web.reference.page import api_page
from services.gateway.web.templates import render

router = APIRouter(include_in_schema=False)
Parts = Annotated[Gateway, Depends(gateway)]
PAGE_SIZE = 10
_HERE = Path(__file__).parent
_REFUSALS = {
    "key": "This key is not known here. It is the line in the file api-key of Lectern's state folder.",
    "link": "This link was used before or has expired. Sign in with the key, or print a new link: lectern sign-in",
}


class WholeFiles(StaticFiles):
    """Static files without ranges: they are small, and Starlette answers a range that is not there in plain text."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a file."""
        headers = [(name, value) for name, value in scope["headers"] if name not in (b"range", b"if-range")]
        await super().__call__({**scope, "headers": headers}, receive, send)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, which says that it is only had whole."""
        response = await super().get_response(path, scope)
        response.headers["Accept-Ranges"] = "none"
        return response


def static_files() -> StaticFiles:
    """Styles and scripts."""
    return WholeFiles(directory=_HERE / "static")


@router.get("/")
async def home(
    parts: Parts,
    session: Annotated[Session | None, Depends(current_session)],
    status: Status | None = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    refused: str = "",
) -> Response:
    """The sign-in form, or the upload field and a page of jobs."""
    if session is None:
        return HTMLResponse(render("sign_in.html", refusal=_REFUSALS.get(refused)))
    before = decode_cursor(cursor) if cursor else None
    found = await parts.read_model.page(session.owner, status=status, before=before, limit=PAGE_SIZE)
    return HTMLResponse(
        render(
            "home.html",
            jobs=found.jobs,
            status=status,
            first_page=cursor is None,
            next_cursor=encode_cursor(found.cursor) if found.cursor else None,
            csrf_token=session.csrf_token,
            max_bytes=parts.settings.max_upload_bytes,
        )
    )


@router.get("/ui/jobs/{job_id}")
async def card(parts: Parts, caller: SignedIn, job_id: JobIdPath, revision: int = -1) -> Response:
    """One job as it stands now; nothing when it is still at `revision`, and an empty card once it is gone."""
    job = await parts.read_model.get(caller.owner, job_id)
    if job is None:
        if revision < 0:
            raise not_found()
        return HTMLResponse("")
    if job.revision == revision:
        return Response(status_code=204)
    return HTMLResponse(render("card.html", job=job))


@router.delete("/ui/jobs/{job_id}")
async def delete_card(parts: Parts, caller: SignedIn, job_id: JobIdPath) -> Response:
    """Delete a job; an empty answer takes the place of its card."""
    await delete_job(parts, caller, job_id)
    return HTMLResponse("")


@router.post("/ui/jobs/{job_id}/cancel")
async def cancel_card(parts: Parts, caller: SignedIn, job_id: JobIdPath) -> Response:
    """Cancel a job; its card as it stands then."""
    return await _card_after(cancel_job, parts, caller, job_id)


@router.post("/ui/jobs/{job_id}/retry")
async def retry_card(parts: Parts, caller: SignedIn, job_id: JobIdPath) -> Response:
    """Try a job again; its card as it stands then."""
    return await _card_after(retry_job, parts, caller, job_id)


async def _card_after(
    act: Callable[[Gateway, Caller, str], Awaitable[Job]], parts: Gateway, caller: Caller, job_id: str
) -> Response:
    try:
        job = await act(parts, caller, job_id)
    except ProblemError as problem:
        if problem.status != HTTPStatus.CONFLICT:
            raise
        # It ended, or somebody else began it again, before this page heard of it: the card says so.
        job = await get_job(parts, caller, job_id)
    return HTMLResponse(render("card.html", job=job))


@router.get("/docs")
async def api_reference(request: Request) -> Response:
    """What the API can do, from its own OpenAPI document."""
    return HTMLResponse(api_page(request.app, address=str(request.base_url).rstrip("/")))


@router.get("/favicon.ico")
async def favicon() -> Response:
    """Where the icon is, for browsers that ask without looking."""
    return RedirectResponse("/static/icon.svg", 308)
