"""Connections to the gateway that all owners share, and their patience."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

import httpx

TRY_TIMEOUT_S = 12.0
GIVE_UP_S = 150.0
AT_ONCE = 24
FIRST_PAUSE_S, LAST_PAUSE_S = 0.5, 8.0


class Connections:
    """An HTTP client that tries again; counts what went wrong."""

    def __init__(self, url: str, rng: random.Random) -> None:
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=20)
        self.http = httpx.AsyncClient(base_url=url, timeout=TRY_TIMEOUT_S, limits=limits)
        # Streams last as long as jobs do: they must not stand between the other requests and their connections.
        self.streams = httpx.AsyncClient(base_url=url, timeout=TRY_TIMEOUT_S, limits=limits)
        # The client library's pool searches all its requests at each one: hundreds that wait in it take the processor
        # from the proxies, which run in this process.
        self._turns = asyncio.Semaphore(AT_ONCE)
        self.rng = rng
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
            await asyncio.sleep(self.rng.uniform(0.3, 1.0) * pause_s)
            pause_s = min(2 * pause_s, LAST_PAUSE_S)
        return None
