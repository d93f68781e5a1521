"""Writing that a cancelled caller waits for, so that nothing appears after it has gone on (PIP-5)."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def to_its_end(writing: Awaitable[T], *, at_most_s: float | None = None) -> T:
    """Await `writing`. A caller that is cancelled leaves when it has ended, or once `at_most_s` seconds have passed.

    What was given up after that time is cancelled; the other side may still finish it.
    """
    work = asyncio.ensure_future(writing)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work], timeout=at_most_s)
        if not work.done():
            work.cancel()
        elif not work.cancelled():
            work.exception()  # looked at, or asyncio would report it as an error that nobody saw
        raise
