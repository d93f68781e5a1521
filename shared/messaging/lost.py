"""Ends a process whose connection to the broker does not come back although the broker works.

The client library makes a broken connection anew and opens its channels again. Where the new one breaks meanwhile,
that has been seen to wait for ever, or to come back without its consumers. Nothing is lost with the process: what it
has not acknowledged is delivered again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from shared.errors import BrokerError

log = structlog.get_logger()

LOOK_EVERY_S = 5.0
PATIENCE_S = 30.0

Check = Callable[[], Awaitable[None]]


async def until_lost(
    own: Check, new_connection: Check, *, every_s: float = LOOK_EVERY_S, patience_s: float = PATIENCE_S
) -> None:
    """Return when `own` has failed for `patience_s` while `new_connection` worked each time; tried every `every_s`.

    Both raise BrokerError: `own` tries the connection of this process. While the broker is away, both fail, and the
    time does not count.
    """
    failing_since: float | None = None
    while True:
        await asyncio.sleep(every_s)
        error = await _error(own)
        if error is None or await _error(new_connection) is not None:
            failing_since = None
            continue
        now = time.monotonic()
        failing_since = failing_since or now
        if now - failing_since >= patience_s:
            log.critical("the broker works, and the connection to it does not come back", error=str(error))
            return


async def _error(check: Check) -> BrokerError | None:
    try:
        await check()
    except BrokerError as error:
        return error
    return None
