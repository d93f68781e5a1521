"""The people who hand in jobs: they try again with the same key until they have an answer, and then act on the job."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx

from tests.chaos.cases import Case
from tests.chaos.connections import Connections


def _took(case: Case, answer: httpx.Response | None) -> bool:
    """Whether the gateway has taken an order; without an answer nobody knows."""
    case.notes.append(f"{case.wish.act}: {answer.status_code if answer is not None else 'no answer'}")
    case.unsure = case.unsure or answer is None
    return answer is not None and answer.is_success


class Account:
    """What one owner does over HTTP, with their own API key. `administrator` replays their dead letters."""

    def __init__(
        self, connections: Connections, owner: str, api_key: str, administrator: "Account | None" = None
    ) -> None:
        self.owner = owner
        self._connections = connections
        self._administrator = administrator or self
        self._headers = {"Authorization": f"Bearer {api_key}"}

    async def ask(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response | None:
        """The answer to a request, which is sent until there is one; None when there is none."""
        all_headers = {**self._headers, **(headers or {})}

        async def send() -> httpx.Response:
            return await self._connections.http.request(method, path, headers=all_headers, **more)

        return await self._connections.patiently(send)

    def stream(self, path: str, headers: dict[str, str]) -> AbstractAsyncContextManager[httpx.Response]:
        """A request whose answer is read as it comes."""
        return self._connections.streams.stream("GET", path, headers={**self._headers, **headers})

    async def submit(self, case: Case) -> None:
        """Hand in a job; `case` learns its id."""
        wish = case.wish

        async def send() -> httpx.Response:
            case.tries += 1
            return await self._connections.http.post(
                "/v1/jobs",
                files={"file": (wish.content.name, wish.content.source())},
                headers={**self._headers, "Idempotency-Key": wish.key},
            )

        if wish.act == "abandon":
            await self._abandon(case, send)
            return
        answer = await self._connections.patiently(send)
        if answer is None:
            case.notes.append("never accepted")
        elif answer.status_code == 202:
            case.job_id, case.first_202_at = str(answer.json()["job_id"]), time.time()
        else:
            case.notes.append(f"refused with {answer.status_code}: {answer.text[:200]}")

    async def _abandon(self, case: Case, send: Callable[[], Awaitable[httpx.Response]]) -> None:
        """Go away in the middle of the upload, and never come back."""
        try:
            async with asyncio.timeout(self._connections.rng.uniform(0.001, 0.03)):
                answer = await send()
        except (TimeoutError, httpx.TransportError):
            case.notes.append("abandoned")
            return
        if answer.status_code == 202:
            case.job_id = str(answer.json()["job_id"])

    async def get(self, job_id: str) -> dict[str, Any] | None:
        """The job; None when it is not there."""
        answer = await self.ask("GET", f"/v1/jobs/{job_id}")
        return dict(answer.json()) if answer is not None and answer.status_code == 200 else None

    async def act(self, case: Case) -> None:
        """Do what the owner wants with an accepted job."""
        await asyncio.sleep(case.wish.after_s)
        match case.wish.act:
            case "delete":
                answer = await self.ask("DELETE", f"/v1/jobs/{case.job_id}")
                case.deleted = _took(case, answer)
            case "cancel":
                answer = await self.ask("POST", f"/v1/jobs/{case.job_id}/cancel")
                case.cancelled = _took(case, answer)
            case "retry":
                await self._retry(case)
            case "replay":
                await self._replay(case)

    async def _retry(self, case: Case) -> None:
        """Have a failed job tried again by its owner.

        A second try meets the job under way: that is a success too. And so is a job that is failed no longer, because
        another copy of the message that was given up has been worked off after all.
        """
        answer = await self.ask("POST", f"/v1/jobs/{case.job_id}/retry")
        case.mended = _took(case, answer)
        if answer is not None and answer.status_code == 409:
            job = await self.get(str(case.job_id))
            case.mended = job is not None and (job["run"] > 1 or job["status"] != "failed")

    async def _replay(self, case: Case) -> None:
        """Have the dead letters of a job put back by an administrator, until there was one."""
        body = {"job_id": case.job_id}
        for _ in range(60):
            answer = await self._administrator.ask("POST", "/v1/dead-letters/replay", json=body)
            case.mended = _took(case, answer)
            job = await self.get(str(case.job_id))
            if answer is None or job is None or job["status"] != "failed" or answer.json().get("replaying"):
                return
            await asyncio.sleep(0.5)

    async def all_jobs(self) -> list[dict[str, Any]]:
        """Every job that the owner has."""
        return [job async for job in self._all("/v1/jobs", "jobs")]

    async def open_jobs(self) -> list[str]:
        """Ids of jobs that have not ended; not by looking at all of them, which would keep the database busy."""
        return [
            job["job_id"]
            for status in ("submitted", "running")
            async for job in self._all("/v1/jobs", "jobs", status=status)
        ]

    async def all_dead_letters(self) -> list[dict[str, Any]]:
        """Every dead letter that the gateway lists."""
        return [letter async for letter in self._all("/v1/dead-letters", "dead_letters")]

    async def _all(self, path: str, name: str, **query: str) -> AsyncIterator[dict[str, Any]]:
        cursor: str | None = None
        while True:
            page = await self.page(cursor, path, **query)
            for item in page[name]:
                yield item
            cursor = page["cursor"]
            if cursor is None:
                return

    async def page(self, cursor: str | None, path: str = "/v1/jobs", **query: str) -> dict[str, Any]:
        """One page of a list. Raises RuntimeError when it cannot be had."""
        params = {"limit": "100", **query} | ({"cursor": cursor} if cursor else {})
        answer = await self.ask("GET", path, params=params)
        if answer is None or answer.status_code != 200:
            raise RuntimeError(f"{path} cannot be had: {answer}")
        return dict(answer.json())

    async def download(self, url: str) -> bytes:
        """The bytes of a file, empty when there is none."""
        answer = await self.ask("GET", url)
        return answer.content if answer is not None and answer.status_code == 200 else b""
