"""The caller of a request, as routes ask for it, and the proof that a request was not forged by another site."""

import hmac
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection

from services.gateway.auth.keys import Identity
from services.gateway.auth.sessions import Session
from services.gateway.parts import Gateway, gateway
from services.gateway.problems import ProblemError
from shared.telemetry import note_work

COOKIE = "lectern_session"
CSRF_HEADER = "X-CSRF-Token"

_bearer = HTTPBearer(auto_error=False, scheme_name="ApiKey", description="`Authorization: Bearer KEY`")
_cookie = APIKeyCookie(
    name=COOKIE,
    auto_error=False,
    scheme_name="Session",
    description=f"The web page's session. Requests that change something also need the header `{CSRF_HEADER}`.",
)


@dataclass(frozen=True)
class Caller:
    """Who sends the request. `session` is None for API keys."""

    owner: str
    session: Session | None = None
    administrator: bool = False
    key_id: str | None = None

    @property
    def identity(self) -> Identity:
        """What a session or a link that the caller asks for speaks for."""
        return Identity(self.owner, self.administrator, self.key_id)


def unauthorised() -> ProblemError:
    """The answer to somebody who is not known."""
    detail = "Send a valid API key as `Authorization: Bearer KEY`."
    return ProblemError(HTTPStatus.UNAUTHORIZED, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})


def _forged() -> ProblemError:
    detail = "This request did not come from Lectern's own page. Reload the page and try again."
    return ProblemError(HTTPStatus.FORBIDDEN, "forged-request", detail)


def check_same_origin(request: HTTPConnection) -> None:
    """Raise ProblemError when a browser says that another site sent this request."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise _forged()
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise _forged()


def check_token(session: Session, token: str | None) -> None:
    """Raise ProblemError unless `token` is the session's."""
    if token is None or not hmac.compare_digest(token.encode(), session.csrf_token.encode()):
        raise _forged()


async def current_session(request: Request, parts: Annotated[Gateway, Depends(gateway)]) -> Session | None:
    """The page's session, if there is one."""
    secret = request.cookies.get(COOKIE)
    return await parts.sessions.find(secret) if secret else None


async def caller(
    request: Request,
    _bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],  # these two are for OpenAPI
    _cookie: Annotated[str | None, Security(_cookie)],
) -> Caller:
    """Who is calling, as the Authentication middleware found out. Raises ProblemError where nobody is known."""
    found: Caller | None = getattr(request.state, "caller", None)
    if found is None:
        raise unauthorised()
    note_work(owner=found.owner, job_id=request.path_params.get("job_id"))
    return found


SignedIn = Annotated[Caller, Depends(caller)]


async def administrator(found: SignedIn) -> Caller:
    """Who is calling, if they are an administrator. Raises ProblemError for everybody else."""
    if not found.administrator:
        detail = (
            "Only an administrator may do this. Use an administrator's API key, such as the first one: the setting "
            "GATEWAY_BOOTSTRAP_KEY, or the line in the file api-key of Lectern's state folder."
        )
        raise ProblemError(HTTPStatus.FORBIDDEN, "administrators-only", detail)
    return found


Administrator = Annotated[Caller, Depends(administrator)]
