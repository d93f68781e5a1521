"""Signing in and out."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.gateway.auth.guard import COOKIE, SignedIn, check_token, current_session
from services.gateway.auth.sessions import Session
from services.gateway.parts import Gateway, gateway
from services.gateway.problems import responses

router = APIRouter()
Parts = Annotated[Gateway, Depends(gateway)]

# A page rather than a redirect: a cookie that is SameSite=Strict is not sent along a redirect that began elsewhere.
_CONTINUE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/">'
    '<title>Lectern</title><p>Signed in. <a href="/">Continue</a></p></html>'
)


class SignInLink(BaseModel):
    """A link that signs a browser in once."""

    url: Annotated[str, Field(examples=["http://127.0.0.1:8080/login/once?token=..."])]
    expires_at: datetime


def _give_session(request: Request, response: Response, parts: Gateway, secret: str) -> None:
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(parts.sessions.lifetime.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


@router.post(
    "/v1/sign-in-links",
    status_code=201,
    tags=["sign-in"],
    responses=responses(403),
    summary="Create a sign-in link",
    response_description="The link.",
)
async def create_sign_in_link(request: Request, parts: Parts, caller: SignedIn) -> SignInLink:
    """Make a link that signs a browser in as the caller, once and soon."""
    token, expires_at = await parts.sessions.make_link(caller.identity)
    return SignInLink(url=f"{str(request.base_url).rstrip('/')}/login/once?token={token}", expires_at=expires_at)


@router.get("/login/once", include_in_schema=False)
async def sign_in_once(request: Request, parts: Parts, token: str = "") -> Response:
    """Sign in by a one-time link."""
    identity = await parts.sessions.use_link(token)
    if identity is None:
        return RedirectResponse("/?refused=link", 303)
    response = HTMLResponse(_CONTINUE, headers={"Cache-Control": "no-store"})
    _give_session(request, response, parts, await parts.sessions.begin(identity))
    return response


@router.post("/login", include_in_schema=False)
async def sign_in(request: Request, parts: Parts, key: Annotated[str, Form(max_length=500)] = "") -> Response:
    """Sign in with an API key."""
    identity = await parts.keys.identify(key.strip())
    if identity is None:
        return RedirectResponse("/?refused=key", 303)
    response = RedirectResponse("/", 303)
    _give_session(request, response, parts, await parts.sessions.begin(identity))
    return response


@router.post("/logout", include_in_schema=False)
async def sign_out(
    request: Request,
    parts: Parts,
    session: Annotated[Session | None, Depends(current_session)],
    csrf_token: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """End the session."""
    if session is not None:
        check_token(session, csrf_token)
        await parts.sessions.end(request.cookies[COOKIE])
    response = RedirectResponse("/", 303)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return response
