"""The gateway's HTTP API as the commands use it. Uploads and downloads are streamed."""

import json
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from services.cli.connection import CommandError, Connection, NoAccessError
from services.cli.refusals import checked, content

Job = dict[str, Any]

TERMINAL = frozenset({"done", "partial", "failed", "cancelled"})
# An upload is answered only after its last byte was stored; a quiet stream of events carries a heartbeat.
_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
_PATIENCE_S = 120.0
_LETTERS = "/v1/dead-letters"
_KEYS = "/v1/keys"
# Thousands of dead letters are changed one by one before the answer comes.
_BULK_TIMEOUT = httpx.Timeout(900.0, connect=5.0)
# The beginning of an id that Lectern itself made.
_BEGINNING = re.compile(r"[0-9a-f][0-9a-f-]{3,34}")
_LOOKED_AT = 1000


@dataclass(frozen=True)
class LetterFilter:
    """Dead letters of all the given values; without any, all of them."""

    queue: str | None = None
    job_id: str | None = None
    reason: str | None = None

    def fields(self) -> dict[str, str]:
        """What was given, by name."""
        return {name: value for name, value in asdict(self).items() if value}

    def fields_or_all(self) -> dict[str, Any]:
        """The same for requests that want to hear that everything is meant."""
        return self.fields() or {"all": True}


def _never() -> bool:
    return False


class Client:
    """A connection to one gateway, to be used in a `with`. Every method raises CommandError when it cannot."""

    def __init__(self, connection: Connection, transport: httpx.BaseTransport | None = None) -> None:
        self._connection = connection
        self._url = connection.url
        self._http = httpx.Client(
            base_url=connection.url,
            headers={"Authorization": f"Bearer {connection.key}"},
            timeout=_TIMEOUT,
            transport=transport,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise NoAccessError(
                f"No gateway answers at {self._url}. Start one with `lectern up`, or correct LECTERN_URL."
            ) from None
        except httpx.TimeoutException:
            raise CommandError(f"Lectern at {self._url} did not answer in time. Try again.") from None
        except httpx.HTTPError:
            raise CommandError(f"The connection to {self._url} broke before the answer was here. Try again.") from None

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        return checked(answer, self._connection)

    def _content(self, answer: httpx.Response) -> dict[str, Any]:
        return content(answer, self._connection)

    def is_ready(self) -> bool:
        """Whether the gateway and all that it needs work; False, never an error, while they do not."""
        try:
            return self._http.get("/health/ready").is_success
        except httpx.HTTPError:
            return False

    def submit(self, path: Path, fields: dict[str, str], *, name: str | None = None) -> Job:
        """Send a file, called `name`; if the line breaks, again under the same idempotency key: it is one job."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        called = name or path.name
        with self._explained():
            try:
                return self._send(path, called, fields, headers)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                time.sleep(1)
                return self._send(path, called, fields, headers)

    def _send(self, path: Path, name: str, fields: dict[str, str], headers: dict[str, str]) -> Job:
        try:
            with path.open("rb") as file:
                answer = self._http.post("/v1/jobs", files={"file": (name, file)}, data=fields, headers=headers)
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
        return self._content(answer)

    def full_id(self, given: str) -> str:
        """The id of the job that `given` begins, as git does it; an id that is none of a beginning is left alone.

        Raises CommandError when several of the last thousand jobs begin so.
        """
        if not _BEGINNING.fullmatch(given):
            return given
        found = [job["job_id"] for job in self.jobs(None, _LOOKED_AT) if job["job_id"].startswith(given)]
        if len(found) > 1 and given not in found:
            raise CommandError(f"{len(found)} jobs begin with {given}: write more of the id.")
        return found[0] if len(found) == 1 else given

    def job(self, job_id: str) -> Job:
        """One job."""
        with self._explained():
            return self._content(self._http.get(_path(job_id)))

    def jobs(self, status: str | None, limit: int) -> Iterator[Job]:
        """At most `limit` jobs, newest first."""
        return self._pages("/v1/jobs", "jobs", {"status": status} if status else {}, limit)

    def _pages(self, path: str, name: str, chosen: dict[str, str], limit: int) -> Iterator[dict[str, Any]]:
        query = {"limit": str(min(limit, 100)), **chosen}
        left = limit
        while left > 0:
            with self._explained():
                page = self._content(self._http.get(path, params=query))
            yield from page[name][:left]
            left -= len(page[name])
            if page["cursor"] is None:
                return
            query["cursor"] = page["cursor"]

    def dead_letters(self, chosen: LetterFilter, limit: int) -> Iterator[dict[str, Any]]:
        """At most `limit` dead letters, newest first."""
        return self._pages(_LETTERS, "dead_letters", chosen.fields(), limit)

    def dead_letter(self, letter: str) -> dict[str, Any]:
        """All about one dead letter."""
        with self._explained():
            return self._content(self._http.get(_letter_path(letter)))

    def replay_letter(self, letter: str) -> dict[str, Any]:
        """Send one back to work; how many are on their way."""
        with self._explained():
            return self._content(self._http.post(f"{_letter_path(letter)}/replay"))

    def replay_letters(self, chosen: LetterFilter) -> dict[str, Any]:
        """Send all that fit back to work; how many are on their way."""
        with self._explained():
            return self._content(
                self._http.post(f"{_LETTERS}/replay", json=chosen.fields_or_all(), timeout=_BULK_TIMEOUT)
            )

    def purge_letter(self, letter: str) -> dict[str, Any]:
        """Throw one away; how many were."""
        with self._explained():
            return self._content(self._http.delete(_letter_path(letter)))

    def purge_letters(self, chosen: LetterFilter) -> dict[str, Any]:
        """Throw all that fit away; how many were."""
        with self._explained():
            return self._content(self._http.delete(_LETTERS, params=chosen.fields_or_all(), timeout=_BULK_TIMEOUT))

    def cancel(self, job_id: str) -> Job:
        """Stop working on a job; the job as it is then."""
        with self._explained():
            return self._content(self._http.post(f"{_path(job_id)}/cancel"))

    def retry(self, job_id: str) -> Job:
        """Have what is missing of a job made; the job as it is then."""
        with self._explained():
            return self._content(self._http.post(f"{_path(job_id)}/retry"))

    def delete(self, job_id: str) -> None:
        """Delete a job."""
        with self._explained():
            self._checked(self._http.delete(_path(job_id)))

    def sign_in_link(self) -> str:
        """An address that signs a browser in once."""
        with self._explained():
            return str(self._content(self._http.post("/v1/sign-in-links"))["url"])

    def keys(self) -> list[dict[str, Any]]:
        """All API keys, newest first."""
        with self._explained():
            return list(self._content(self._http.get(_KEYS))["keys"])

    def create_key(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Make an API key; all about it, with its secret."""
        with self._explained():
            return self._content(self._http.post(_KEYS, json=wanted))

    def revoke_key(self, key: str) -> dict[str, Any]:
        """Revoke an API key; all about it."""
        with self._explained():
            return self._content(self._http.delete(f"{_KEYS}/{quote(key, safe='')}"))

    @contextmanager
    def download(self, url: str) -> Iterator[Iterator[bytes]]:
        """The bytes at a path of this gateway."""
        if not url.startswith("/v1/"):  # the key goes to the gateway alone
            raise CommandError("The gateway named a file that lies elsewhere.")
        with self._explained(), self._http.stream("GET", url) as answer:
            if answer.is_error:
                answer.read()
            yield self._checked(answer).iter_bytes()

    def follow(self, job_id: str, stopped: Callable[[], bool] = _never) -> Iterator[Job]:
        """The job at every change until it has ended; a line that breaks is taken up again.

        Ends early once `stopped` says so. Raises CommandError after two minutes without an answer.
        """
        seen: str | None = None
        silent_since_s = time.monotonic()
        while not stopped():
            try:
                for job in self._events(job_id, seen):
                    silent_since_s = time.monotonic()
                    if job is None:
                        continue
                    seen = str(job["revision"])
                    yield job
                    if job["status"] in TERMINAL:
                        return
            except (httpx.TransportError, _UnavailableError):
                if time.monotonic() - silent_since_s > _PATIENCE_S:
                    raise CommandError(
                        f"No gateway has answered at {self._url} for two minutes. The job goes on by itself: "
                        f"`lectern show {job_id}` tells how far it is."
                    ) from None
            time.sleep(0.5)

    def _events(self, job_id: str, seen: str | None) -> Iterator[Job | None]:
        """The job at each change; None at each other sign of life, such as the heartbeats of a job that takes long."""
        headers = {"Last-Event-ID": seen} if seen else {}
        with self._http.stream("GET", f"{_path(job_id)}/events", headers=headers) as answer:
            if answer.status_code >= 500:
                raise _UnavailableError
            if answer.is_error:
                answer.read()
            event = ""
            for line in self._checked(answer).iter_lines():
                if line.startswith("event: "):
                    event = line.removeprefix("event: ")
                if event == "deleted":
                    raise CommandError("The job was deleted.")
                yield json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else None


class _UnavailableError(Exception):
    """The gateway says that it cannot answer right now."""


def _letter_path(letter: str) -> str:
    return f"{_LETTERS}/{quote(letter, safe='')}"


def _path(job_id: str) -> str:
    return f"/v1/jobs/{quote(job_id, safe='')}"
