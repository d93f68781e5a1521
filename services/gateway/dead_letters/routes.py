"""`/v1/dead-letters`, for administrators alone."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from services.gateway.auth.guard import administrator
from services.gateway.dead_letters.letters import REPLAYING, LetterFilter
from services.gateway.dead_letters.office import DeadLetterOffice
from services.gateway.dead_letters.view import Letter, LetterList, Purged, Replayed, letter_of, summary_of
from services.gateway.jobs.routes import decode_cursor, encode_cursor
from services.gateway.parts import Gateway, gateway
from services.gateway.patterns import LETTER_ID
from services.gateway.problems import ProblemError, not_found, responses

router = APIRouter(prefix="/v1/dead-letters", tags=["dead letters"], dependencies=[Depends(administrator)])

_QUEUE = Field(description="Only those that died in this work queue.", max_length=255, examples=["rendering.guides"])
_JOB = Field(description="Only those of this job.", max_length=64, examples=["0192f3c4-7a1e-4d3c-9c55-6d1f0a2b3c4d"])
_REASON = Field(description="Only those with this reason.", max_length=100, examples=["attempts-exhausted"])
_ALL = Field(description="Needed where no filter is given: every dead letter there is.")


def _office(parts: Annotated[Gateway, Depends(gateway)]) -> DeadLetterOffice:
    office: DeadLetterOffice = parts.dead_letters
    return office


def _named(
    queue: Annotated[
        str | None, Query(description=_QUEUE.description, examples=_QUEUE.examples, max_length=255)
    ] = None,
    job_id: Annotated[str | None, Query(description=_JOB.description, examples=_JOB.examples, max_length=64)] = None,
    reason: Annotated[
        str | None, Query(description=_REASON.description, examples=_REASON.examples, max_length=100)
    ] = None,
) -> LetterFilter:
    return LetterFilter(queue, job_id, reason)


Office = Annotated[DeadLetterOffice, Depends(_office)]
Named = Annotated[LetterFilter, Depends(_named)]
LetterPath = Annotated[str, Path(pattern=LETTER_ID, examples=["5f2c9b7a1d3e4f60718293a4-0"], description="Its `id`.")]


class ReplayRequest(BaseModel):
    """Which dead letters to replay: those that fit every given value."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"queue": "transcription.speech", "reason": "delivery-limit"}}
    )

    queue: Annotated[str | None, _QUEUE] = None
    job_id: Annotated[str | None, _JOB] = None
    reason: Annotated[str | None, _REASON] = None
    all: Annotated[StrictBool, _ALL] = False


def _checked(chosen: LetterFilter, *, everything: bool) -> LetterFilter:
    if not chosen.selector() and not everything:
        detail = "Name at least one of queue, job_id and reason, or say all=true for every dead letter."
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "filter-needed", detail)
    return chosen


def _conflict(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.CONFLICT, "not-buried", detail)


_ON_ITS_WAY = "This dead letter is being replayed already."


@router.get(
    "",
    responses=responses(403),
    summary="List dead letters",
    response_description="A page of dead letters.",
)
async def list_dead_letters(
    office: Office,
    chosen: Named,
    cursor: Annotated[str | None, Query(max_length=200, description="From the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most.")] = 20,
) -> LetterList:
    """Messages that were given up, newest first. Looking at them takes nothing away and keeps nobody waiting."""
    before = decode_cursor(cursor) if cursor else None
    page = await office.letters.page(chosen, before=before, limit=limit)
    return LetterList(
        dead_letters=tuple(summary_of(document, office.trace_url) for document in page.letters),
        cursor=encode_cursor(page.cursor) if page.cursor else None,
    )


@router.get(
    "/{letter_id}",
    responses=responses(403, 404),
    summary="Look at a dead letter",
    response_description="The dead letter.",
)
async def get_dead_letter(office: Office, letter_id: LetterPath) -> Letter:
    """The message as it was, what was tried, and where its trace is."""
    document = await office.letters.find(letter_id)
    if document is None or not document["open"]:
        raise not_found("dead letter")
    return letter_of(document, office.trace_url)


@router.post(
    "/replay",
    status_code=202,
    responses=responses(400, 403),
    summary="Replay dead letters by filter",
    response_description="How many are on their way.",
)
async def replay_dead_letters(office: Office, request: ReplayRequest) -> Replayed:
    """Put the chosen messages back into their queues. What is accepted here is done, whatever is killed meanwhile."""
    chosen = _checked(LetterFilter(request.queue, request.job_id, request.reason), everything=request.all)
    unreplayable = await office.letters.count(chosen, replayable=False)
    count = await office.replays.replay_all(chosen)
    office.work.set()
    return Replayed(replaying=count, unreplayable=unreplayable)


@router.post(
    "/{letter_id}/replay",
    status_code=202,
    responses=responses(403, 404, 409),
    summary="Replay a dead letter",
    response_description="It is on its way.",
)
async def replay_dead_letter(office: Office, letter_id: LetterPath) -> Replayed:
    """Put the message back into its queue: with its id, body and history, in its own trace, with all attempts anew."""
    document = await office.letters.find(letter_id)
    if document is None or not document["open"]:
        raise not_found("dead letter")
    if not document["replayable"]:
        detail = "The queue of this dead letter belongs to no service: it can only be purged."
        raise ProblemError(HTTPStatus.CONFLICT, "unreplayable", detail)
    if not await office.replays.replay(letter_id):
        raise _conflict(_ON_ITS_WAY)
    return Replayed(replaying=1)


@router.delete(
    "/{letter_id}",
    responses=responses(403, 404, 409),
    summary="Purge a dead letter",
    response_description="It is gone.",
)
async def purge_dead_letter(office: Office, letter_id: LetterPath) -> Purged:
    """Throw a message away for good. Its job stays as it is."""
    if not await office.letters.purge(letter_id):
        document = await office.letters.find(letter_id)
        if document is not None and document["state"] == REPLAYING:
            raise _conflict(_ON_ITS_WAY)
        raise not_found("dead letter")
    return Purged(purged=1)


@router.delete(
    "",
    responses=responses(403),
    summary="Purge dead letters by filter",
    response_description="How many are gone.",
)
async def purge_dead_letters(
    office: Office,
    chosen: Named,
    *,
    everything: Annotated[bool, Query(alias="all", description=_ALL.description)] = False,
) -> Purged:
    """Throw the chosen messages away for good. Those that are being replayed stay."""
    return Purged(purged=await office.letters.purge_all(_checked(chosen, everything=everything)))
