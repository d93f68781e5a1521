"""Lets the checkpoints of a service, in its own process, say when each was looked for, kept, or not kept and why."""

import time
import uuid
from typing import Any
from weakref import WeakKeyDictionary

from shared.checkpoints import Checkpoints, Finished
from tests.chaos.workshop import CALL, Call, Workshop

KEPT, NOT_KEPT = "kept", "not kept"


def watch_checkpoints(workshop: Workshop) -> None:
    """From now on, for the rest of this process: the mechanism is the product's own, and only looked at."""
    look, run = Checkpoints.finished, Checkpoints.run
    looks: WeakKeyDictionary[Finished, float] = WeakKeyDictionary()

    async def finished(self: Checkpoints, message: Any) -> Any:
        now = time.time()
        call = CALL.get()
        if call is not None and call.looked_at is None:  # later looks of the same call are for something else
            call.looked_at = now
        found = await look(self, message)
        looks[found] = now
        return found

    async def watched_run(self: Checkpoints, message: Any, unit: str, *arguments: Any, **named: Any) -> Any:
        known = named.get("known")
        token = CALL.set(Call(uuid.uuid4().hex[:12], None if known is None else looks.get(known)))
        try:
            result = await run(self, message, unit, *arguments, **named)
        except BaseException as error:
            workshop.note(message.job_id, unit, NOT_KEPT, error=type(error).__name__)
            raise
        else:
            workshop.note(message.job_id, unit, KEPT)
            return result
        finally:
            CALL.reset(token)

    Checkpoints.finished = finished  # type: ignore[method-assign]  # in a process of the chaos run alone
    Checkpoints.run = watched_run  # type: ignore[method-assign]  # as above
