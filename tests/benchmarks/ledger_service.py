"""A no-op worker that keeps a ledger of every unit it carries out: `python -m tests.benchmarks.ledger_service NAME`.

The entry is the last act of what a checkpoint is made of, so a unit stands there twice when it was computed twice.
"""

import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pydantic import BaseModel

from shared.checkpoints import Checkpoints
from shared.events import Message
from tests.benchmarks import noop_service
from tests.benchmarks.ledger import Entry, Ledger

R = TypeVar("R", bound=BaseModel)


def keep_ledger(ledger: Ledger) -> None:
    """Let every computation of this process end with an entry."""
    run_unnoted = Checkpoints.run

    async def run(
        self: Checkpoints, message: Message, unit: str, compute: Callable[[], Awaitable[R]], *others: Any, **named: Any
    ) -> R:
        async def compute_and_note() -> R:
            result = await compute()
            ledger.add(Entry(message.job_id, self._stage, unit))
            return result

        result: R = await run_unnoted(self, message, unit, compute_and_note, *others, **named)
        return result

    setattr(Checkpoints, "run", run)  # noqa: B010 -- a plain assignment to a method is refused by the type checker


if __name__ == "__main__":
    keep_ledger(Ledger.of_environment())
    noop_service.main(sys.argv[1])
