"""`/v1/keys`, for administrators alone."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from services.gateway.auth.guard import Administrator, administrator
from services.gateway.auth.keys import LastAdministratorKeyError, NewKey, revoked_at
from services.gateway.parts import Gateway, gateway
from services.gateway.patterns import KEY_ID, KEY_NAME, OWNER
from services.gateway.problems import ProblemError, not_found, responses
from shared.database import Document

log = structlog.get_logger()

router = APIRouter(prefix="/v1/keys", tags=["keys"], dependencies=[Depends(administrator)])
Parts = Annotated[Gateway, Depends(gateway)]
KeyId = Annotated[str, Path(pattern=KEY_ID, examples=["5f2c9b7a1d3e"], description="Its `id`.")]

_FIRST_KEY = "first key"
_NAME = Field(
    min_length=1,
    max_length=100,
    pattern=KEY_NAME,
    description="What it is for; not unique.",
    examples=["Moodle"],
)
_OWNER = Field(
    max_length=64,
    pattern=OWNER,
    description="The user it acts for, whose jobs it sees.",
    examples=["ana"],
)


class Role(StrEnum):
    """What a key may do."""

    ADMINISTRATOR = "administrator"
    USER = "user"


class KeyRequest(BaseModel):
    """The key that is to be made."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"name": "Moodle", "owner": "ana", "expires_in_days": 90}}
    )

    name: Annotated[str, _NAME]
    owner: Annotated[str, _OWNER]
    role: Annotated[Role, Field(description="Administrators also see dead letters and keys.")] = Role.USER
    expires_in_days: Annotated[
        int | None, Field(ge=1, le=3650, strict=True, description="Days until it expires; null: never.")
    ] = None


class ApiKey(BaseModel):
    """A key as everybody may see it: nothing of its secret."""

    id: Annotated[str, Field(examples=["5f2c9b7a1d3e"])]
    name: str
    owner: str
    role: Role
    created_at: datetime
    expires_at: datetime | None
    last_used_at: Annotated[datetime | None, Field(description="Up to ten minutes old; null: never used.")]
    revoked_at: datetime | None
    expired: Annotated[bool, Field(description="Whether `expires_at` has passed, by the gateway's clock.")]


class ApiKeyList(BaseModel):
    """All keys, newest first."""

    keys: tuple[ApiKey, ...]


class CreatedKey(ApiKey):
    """A new key with its secret, which is shown this once."""

    key: Annotated[str, Field(description="Send it as `Authorization: Bearer KEY`. It cannot be shown again.")]


def _shown(document: Document) -> ApiKey:
    expires_at = document.get("expires_at")
    return ApiKey(
        id=document["id"],
        name=document.get("name", _FIRST_KEY),
        owner=document["owner"],
        role=Role.ADMINISTRATOR if document.get("administrator") else Role.USER,
        created_at=document["created_at"],
        expires_at=expires_at,
        last_used_at=document.get("last_used_at"),
        revoked_at=revoked_at(document),
        expired=expires_at is not None and expires_at <= datetime.now(UTC),
    )


@router.get("", responses=responses(403), summary="List API keys", response_description="All keys.")
async def list_keys(parts: Parts) -> ApiKeyList:
    """All API keys, newest first, those that are revoked or expired included."""
    return ApiKeyList(keys=tuple(_shown(document) for document in await parts.keys.list_all()))


@router.post(
    "",
    status_code=201,
    responses=responses(400, 403),
    summary="Create an API key",
    response_description="The key, with its secret.",
)
async def create_key(parts: Parts, caller: Administrator, request: KeyRequest, response: Response) -> CreatedKey:
    """Make an API key. Its secret is in this answer and nowhere else."""
    lifetime = timedelta(days=request.expires_in_days) if request.expires_in_days else None
    wanted = NewKey(request.name, request.owner, request.role is Role.ADMINISTRATOR, lifetime)
    key, document = await parts.keys.create(wanted)
    log.info("api key created", key=document["id"], owner=request.owner, role=request.role.value, by=caller.owner)
    response.headers["Cache-Control"] = "no-store"
    return CreatedKey(**_shown(document).model_dump(), key=key)


@router.delete(
    "/{key_id}",
    responses=responses(403, 404, 409),
    summary="Revoke an API key",
    response_description="The key, revoked.",
)
async def revoke_key(parts: Parts, key_id: KeyId) -> ApiKey:
    """Refuse the key from now on, with the sessions and sign-in links that were made with it. There is no way back."""
    try:
        document = await parts.keys.revoke(key_id)
    except LastAdministratorKeyError:
        detail = (
            "This is the last administrator's key that can be used: without it nobody could administer Lectern. "
            "Create another administrator's key first, then revoke this one."
        )
        raise ProblemError(HTTPStatus.CONFLICT, "last-administrator-key", detail) from None
    if document is None:
        raise not_found("API key")
    return _shown(document)
