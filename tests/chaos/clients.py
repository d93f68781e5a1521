"""The people who hand in jobs: they try again with the same key until they have an answer, and then act on the job."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

from tests.chaos.content import Content

TRY_TIMEOUT_S = 12.0
GIVE_UP_S = 150.0
AT_ONCE = 24
FIRST_PAUSE_S, LAST_PAUSE_S = 0.5, 8.0
ENDED = frozenset({"done", "partial", "failed", "cancelled"})
NOT_THERE = frozenset({404, 405})

Act = Literal["none", "delete", "cancel", "retry", "replay", "abandon"]


@dataclass(frozen=True)
class Wish:
    """One job that somebody wants: `act` is what they do with it `after_s` seconds after it was accepted.

    `then_kill` names what is killed in the moment after the 202.
    """

    number: int
    at_s: float
    content: Content
    key: str
    act: Act = "none"
    after_s: float = 0.0
    then_kill: str | None = None


@dataclass
class Case:
    """What became of a wish, as its owner saw it."""

    wish: Wish
    job_id: str | None = None
    tries: int = 0
    first_202_at: float | None = None
    cancelled: bool = False
    deleted: bool = False
    mended: bool = False
    unsure: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        """How findings name it."""
        return f"job {self.job_id} (#{self.wish.number}, {self.wish.content.name})"


def _took(case: Case, answer: httpx.Response | None) -> bool:
    """Whether the gateway has taken an order; without an answer nobody knows."""
    case.notes.append(f"{case.wish.act}: {answer.status_code if answer is not None else 'no answer'}")
    case.unsure = case.unsure or answer is None
    return answer is not None and answer.is_success


class Clients:
    """An HTTP client with patience."""

    def __init__(self, url: str, api_key: str, rng: random.Random) -> None:
        headers = {"Authorization": f"Bearer {api_key}"}
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=20)
        self.http = httpx.AsyncClient(base_url=url, headers=headers, timeout=TRY_TIMEOUT_S, limits=limits)
        # Streams last as long as jobs do: they must not stand between the other requests and their connections.
        self.streams = httpx.AsyncClient(base_url=url, headers=headers, timeout=TRY_TIMEOUT_S, limits=limits)
        # The client library's pool searches all its requests at each one: hundreds that wait in it take the processor
        # from the proxies, which run in this process.
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._rng = rng
        self.server_errors = 0
        self.broken_lines = 0

    async def close(self) -> None:
        """Hang up."""
        await self.http.aclose()
        await self.streams.aclose()

    async def patiently(
        self, send: Callable[[], Awaitable[httpx.Response]], *, within_s: float = GIVE_UP_S
    ) -> httpx.Response | None:
        """The first answer that is neither a broken line nor a fault of the server; None when there is none."""
        deadline = time.monotonic() + within_s
        pause_s = FIRST_PAUSE_S
        while time.monotonic() < deadline:
            try:
                async with self._turns:
                    answer = await send()
            except httpx.TransportError:
                self.broken_lines += 1
            else:
                if answer.status_code < 500 and answer.status_code != 429:
                    return answer
                self.server_errors += 1
            # As well-behaved clients do; without it, hundreds of uploads at once are the only trouble a gateway has.
            await asyncio.sleep(self._rng.uniform(0.3, 1.0) * pause_s)
            pause_s = min(2 * pause_s, LAST_PAUSE_S)
        return None

    async def submit(self, case: Case) -> None:
        """Hand in a job; `case` learns its id."""
        wish = case.wish

        async def send() -> httpx.Response:
            case.tries += 1
            return await self.http.post(
                "/v1/jobs",
                files={"file": (wish.content.name, wish.content.source())},
                headers={"Idempotency-Key": wish.key},
            )

        if wish.act == "abandon":
            await self._abandon(case, send)
            return
        answer = await self.patiently(send)
        if answer is None:
            case.notes.append("never accepted")
        elif answer.status_code == 202:
            case.job_id, case.first_202_at = str(answer.json()["job_id"]), time.time()
        else:
            case.notes.append(f"refused with {answer.status_code}: {answer.text[:200]}")

    async def _abandon(self, case: Case, send: Callable[[], Awaitable[httpx.Response]]) -> None:
        """Go away in the middle of the upload, and never come back."""
        try:
            async with asyncio.timeout(self._rng.uniform(0.001, 0.03)):
                answer = await send()
        except (TimeoutError, httpx.TransportError):
            case.notes.append("abandoned")
            return
        if answer.status_code == 202:
            case.job_id = str(answer.json()["job_id"])

    async def get(self, job_id: str) -> dict[str, Any] | None:
        """The job; None when it is not there."""
        answer = await self.patiently(lambda: self.http.get(f"/v1/jobs/{job_id}"))
        return dict(answer.json()) if answer is not None and answer.status_code == 200 else None

    async def act(self, case: Case) -> None:
        """Do what the owner wants with an accepted job."""
        await asyncio.sleep(case.wish.after_s)
        match case.wish.act:
            case "delete":
                answer = await self.patiently(lambda: self.http.delete(f"/v1/jobs/{case.job_id}"))
                case.deleted = _took(case, answer)
            case "cancel":
                answer = await self.patiently(lambda: self.http.post(f"/v1/jobs/{case.job_id}/cancel"))
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
        answer = await self.patiently(lambda: self.http.post(f"/v1/jobs/{case.job_id}/retry"))
        case.mended = _took(case, answer)
        if answer is not None and answer.status_code == 409:
            job = await self.get(str(case.job_id))
            case.mended = job is not None and (job["run"] > 1 or job["status"] != "failed")

    async def _replay(self, case: Case) -> None:
        """Have the dead letters of a job put back by an administrator, until there was one."""
        body = {"job_id": case.job_id}
        for _ in range(60):
            answer = await self.patiently(lambda: self.http.post("/v1/dead-letters/replay", json=body))
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
        answer = await self.patiently(lambda: self.http.get(path, params=params))
        if answer is None or answer.status_code != 200:
            raise RuntimeError(f"{path} cannot be had: {answer}")
        return dict(answer.json())

    async def download(self, url: str) -> bytes:
        """The bytes of a file, empty when there is none."""
        answer = await self.patiently(lambda: self.http.get(url))
        return answer.content if answer is not None and answer.status_code == 200 else b""
