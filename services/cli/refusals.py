"""What the gateway refuses, told in words of the command line: what happened, and what to do."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import httpx

from services.cli.connection import CommandError, Connection, NoAccessError

# What the part of a path after `/v1/` names, and the command that lists it.
_THINGS = {
    "jobs": ("job", "lectern jobs"),
    "keys": ("API key", "lectern keys list"),
    "dead-letters": ("dead letter", "lectern dead-letters list"),
}
_ADDRESS, _BODY = "path.", "body."


def checked(answer: httpx.Response, connection: Connection) -> httpx.Response:
    """An answer that is none of a refusal. Raises CommandError about one, NoAccessError where the key is refused."""
    if answer.is_success:
        return answer
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        raise NoAccessError(_key_refused(connection))
    try:
        problem = answer.json()
        detail = str(problem["detail"])
        faults = [(str(fault["field"]), str(fault["message"])) for fault in problem.get("errors") or ()]
    except (ValueError, KeyError, TypeError):
        raise CommandError(_no_lectern(answer, connection)) from None
    is_usage = answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    raise CommandError(_sentence(answer, detail, faults), exit_status=2 if is_usage else 1)


def content(answer: httpx.Response, connection: Connection) -> dict[str, Any]:
    """The JSON object of an answer. Raises as `checked` does, and CommandError for anything else."""
    try:
        found = checked(answer, connection).json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise CommandError(f"What answers at {connection.url} is no Lectern: correct LECTERN_URL.")
    return found


def _sentence(answer: httpx.Response, detail: str, faults: Sequence[tuple[str, str]]) -> str:
    thing, listing = _THINGS.get(answer.request.url.path.removeprefix("/v1/").partition("/")[0], ("", ""))
    is_missing = answer.status_code == HTTPStatus.NOT_FOUND and detail == f"There is no such {thing}."
    if thing and (is_missing or any(field.startswith(_ADDRESS) for field, _ in faults)):
        return f"There is no such {thing}. `{listing}` shows the ids of those that there are."
    # A fault that only repeats the sentence says nothing new; a sentence that only says that there are faults neither.
    told = [f"{field.removeprefix(_BODY)}: {message}" for field, message in faults if detail not in message]
    return "\n  ".join(told if told and "`errors`" in detail else [detail, *told])


def _key_refused(connection: Connection) -> str:
    return (
        f"Lectern at {connection.url} does not know the API key in {connection.key_from}: it was revoked, has "
        f"expired or is another system's. {connection.remedy}"
    )


def _no_lectern(answer: httpx.Response, connection: Connection) -> str:
    if answer.is_server_error:
        return f"Lectern cannot be reached at {connection.url} right now ({answer.status_code}): try again in a moment."
    return f"What answers at {connection.url} is no Lectern ({answer.status_code}): correct LECTERN_URL."
