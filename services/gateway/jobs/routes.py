"""`/v1/jobs`."""

import base64
import binascii
import re
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from pydantic import AfterValidator, BaseModel, Field
from starlette.responses import StreamingResponse

from services.gateway.auth.authentication import is_still_known
from services.gateway.auth.guard import SignedIn
from services.gateway.jobs.artifacts import download_name, send_artifact
from services.gateway.jobs.descriptions import ACCEPTED, EVENTS, FILE, FORM
from services.gateway.jobs.multipart import MalformedUploadError, MultipartReader
from services.gateway.jobs.stream import events, is_over
from services.gateway.jobs.view import DELETED, Job, Status
from services.gateway.parts import Gateway, gateway
from services.gateway.problems import ProblemError, not_found, responses
from shared.storage import ObjectRef

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
Parts = Annotated[Gateway, Depends(gateway)]
JobIdPath = Annotated[
    str,
    Path(min_length=8, max_length=64, examples=["0192f3c4-7a1e-4d3c-9c55-6d1f0a2b3c4d"]),
    AfterValidator(str.lower),  # as an event's id is
]
_ORDER = re.compile(r"^\d{15}-[a-z0-9-]{8,64}$")


class JobList(BaseModel):
    """A page of jobs, newest first."""

    jobs: tuple[Job, ...]
    cursor: Annotated[str | None, Field(description="Send it as `cursor` for the next page; null on the last one.")]


def encode_cursor(order: str) -> str:
    """An opaque cursor."""
    return base64.urlsafe_b64encode(order.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> str:
    """The order key in a cursor. Raises ProblemError for one that is not ours."""
    try:
        order = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        order = ""
    if not _ORDER.match(order):
        detail = "This cursor is not one that was given out here. Start again without it."
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-cursor", detail)
    return order


@router.post(
    "",
    status_code=202,
    openapi_extra=FORM,
    responses={202: ACCEPTED, **responses(400, 403, 409)},
    summary="Submit a job",
)
async def submit_job(
    request: Request,
    response: Response,
    parts: Parts,
    caller: SignedIn,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=200,
            description="Sent again with the same key, a request is one job.",
        ),
    ] = None,
) -> Job:
    """Take a recording or a document and make a handout of it.

    The file is streamed; parameters may stand before or after it. The answer says where to follow the job.
    """
    try:
        reader = MultipartReader(request.headers.get("content-type", ""), request.stream())
    except MalformedUploadError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "malformed-upload", str(error)) from None
    accepted = await parts.submissions.accept(caller.owner, reader, idempotency_key)
    response.headers["Location"] = f"/v1/jobs/{accepted.job.job_id}"
    if accepted.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return accepted.job


@router.get("", summary="List jobs", response_description="A page of jobs.")
async def list_jobs(
    parts: Parts,
    caller: SignedIn,
    status: Annotated[Status | None, Query(description="Only jobs with this status.")] = None,
    cursor: Annotated[str | None, Query(max_length=200, description="From the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most.")] = 20,
) -> JobList:
    """The caller's jobs, newest first."""
    before = decode_cursor(cursor) if cursor else None
    page = await parts.read_model.page(caller.owner, status=status, before=before, limit=limit)
    return JobList(jobs=page.jobs, cursor=encode_cursor(page.cursor) if page.cursor else None)


async def _job(parts: Gateway, owner: str, job_id: str) -> Job:
    job = await parts.read_model.get(owner, job_id)
    if job is None:
        raise not_found()
    return job


@router.get("/{job_id}", responses=responses(404), summary="Look at a job", response_description="The job.")
async def get_job(parts: Parts, caller: SignedIn, job_id: JobIdPath) -> Job:
    """Status, progress of every stage, files, and what went wrong."""
    return await _job(parts, caller.owner, job_id)


@router.delete(
    "/{job_id}",
    status_code=204,
    responses=responses(403, 404),
    summary="Delete a job",
    response_description="It is gone.",
)
async def delete_job(parts: Parts, caller: SignedIn, job_id: JobIdPath) -> None:
    """Delete a job with everything that was made of it; work that is under way stops by itself. Safe to repeat."""
    document = await parts.read_model.document(job_id)
    if document is None or caller.owner not in (document.get("owner"), document.get("deleted_for")):
        raise not_found()
    if document["status"] != DELETED:
        await parts.lifecycle.delete(caller.owner, job_id)


@router.post(
    "/{job_id}/cancel",
    status_code=202,
    responses=responses(403, 404, 409),
    summary="Cancel a job",
    response_description="The job, cancelled.",
)
async def cancel_job(parts: Parts, caller: SignedIn, job_id: JobIdPath) -> Job:
    """Stop working on a job: what has not begun is skipped, what runs is ended within seconds. Safe to repeat.

    What was made so far stays until the job is deleted, and a retry goes on from there.
    """
    job = await _job(parts, caller.owner, job_id)
    if not await parts.lifecycle.cancel(caller.owner, job_id):
        detail = f"This job has ended: it is {job.status}. There is nothing to cancel."
        raise ProblemError(HTTPStatus.CONFLICT, "job-ended", detail)
    return await _job(parts, caller.owner, job_id)


@router.post(
    "/{job_id}/retry",
    status_code=202,
    responses=responses(403, 404, 409),
    summary="Try a job again",
    response_description="The job, under way again.",
)
async def retry_job(parts: Parts, caller: SignedIn, job_id: JobIdPath) -> Job:
    """Make what is missing of a failed, partial or cancelled job, with the same parameters and without a new upload.

    Whatever was finished before is kept and not made again.
    """
    await _job(parts, caller.owner, job_id)
    if not await parts.lifecycle.retry(caller.owner, job_id):
        job = await _job(parts, caller.owner, job_id)
        raise ProblemError(HTTPStatus.CONFLICT, "not-retryable", _why_not_retried(job))
    return await _job(parts, caller.owner, job_id)


def _why_not_retried(job: Job) -> str:
    if job.error is not None and job.error.permanent:
        return f"Another try would end the same. {job.error.message}"
    what = "done: nothing is missing" if job.status == "done" else "still under way"
    return f"This job is {what}."


@router.get(
    "/{job_id}/artifacts/{name:path}",
    response_class=Response,
    responses={**FILE, **responses(404, 416)},
    summary="Fetch a file",
)
async def get_artifact(
    request: Request,
    parts: Parts,
    caller: SignedIn,
    job_id: JobIdPath,
    name: Annotated[str, Path(max_length=200, examples=["handout.pdf"])],
    *,
    inline: Annotated[bool, Query(description="Show it in the browser where that is safe.")] = False,
) -> Response:
    """A file of the job, whole or by ranges; its ETag is its SHA-256."""
    found = await parts.read_model.artifact(caller.owner, job_id, name)
    if found is None:
        raise not_found("file")
    stored = ObjectRef.model_validate(found["object"])
    return await send_artifact(request, parts.store, stored, download_name(found["source"], name), inline=inline)


@router.get(
    "/{job_id}/events",
    response_class=StreamingResponse,
    responses={**EVENTS, **responses(404)},
    summary="Follow a job",
)
async def follow_job(
    request: Request,
    parts: Parts,
    caller: SignedIn,
    job_id: JobIdPath,
    last_event_id: Annotated[
        str | None, Header(alias="Last-Event-ID", description="Revision seen last; nothing older is sent again.")
    ] = None,
) -> Response:
    """Server-sent events: the whole job whenever it changes, until it has ended."""
    job = await _job(parts, caller.owner, job_id)
    seen = int(last_event_id) if last_event_id and last_event_id.isdecimal() and len(last_event_id) < 16 else None
    if is_over(job, seen):
        return Response(status_code=204)
    stream = events(
        parts.read_model,
        parts.wakeups,
        caller.owner,
        job_id,
        still_known=partial(is_still_known, request, parts),
        seen=seen,
        poll_s=parts.settings.poll_s,
        heartbeat_s=parts.settings.heartbeat_s,
    )
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)
