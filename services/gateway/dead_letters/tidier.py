"""Takes the copies of settled letters out of the dead-letter queues, then forgets the letters."""

from datetime import UTC, datetime, timedelta

import structlog

from services.gateway.dead_letters.letters import DeadLetters, Settled
from services.gateway.dead_letters.post import Post, Sift
from shared.messaging.topology import WORK_QUEUES

log = structlog.get_logger()

# A letter and its copy are published together; where a whole pass does not find the copy, it was taken by hand, or is
# late by a restart of the broker at most.
MISSING_FOR = timedelta(minutes=10)
MOST_COPIES = 200_000  # a pass ends, whatever comes in meanwhile; the next one goes on
_QUEUES = {queue.name: queue for queue in WORK_QUEUES}


class Tidier:
    """Safe to run in several gateways at once: the broker lets one at a time."""

    def __init__(
        self,
        letters: DeadLetters,
        post: Post,
        *,
        missing_for: timedelta = MISSING_FOR,
        most_copies: int = MOST_COPIES,
    ) -> None:
        self._letters = letters
        self._post = post
        self._missing_for = missing_for
        self._most_copies = most_copies

    async def tidy(self) -> int:
        """Make one pass over every queue that has settled letters to be looked for; how many letters were forgotten.

        Raises LecternError when database, storage or broker is away.
        """
        settled = await self._letters.settled()
        due = {letter.queue for letter in settled if self._is_due(letter)}
        if not due:
            return 0
        forgotten = 0
        async with self._post.sifting() as sift:
            if sift is None:
                return 0
            for queue in sorted(due):
                letters = [letter for letter in settled if letter.queue == queue]
                forgotten += await self._tidy(sift, queue, letters)
        return forgotten

    def _is_due(self, letter: Settled) -> bool:
        return not letter.sought or letter.at < datetime.now(UTC) - self._missing_for

    async def _tidy(self, sift: Sift, queue: str, letters: list[Settled]) -> int:
        known = _QUEUES.get(queue)
        if known is None:  # it came from outside and lies in no queue of ours
            await self._letters.forget(letters)
            return len(letters)
        ids = {letter.id for letter in letters}
        found = await sift(known, ids, most=self._most_copies)
        gone = [letter for letter in letters if letter.id in found.removed]
        missing = [letter for letter in letters if letter.id not in found.removed] if found.whole else []
        given_up = [letter for letter in missing if letter.sought and self._is_due(letter)]
        await self._letters.sought([letter for letter in missing if not letter.sought])
        await self._letters.forget([*gone, *given_up])
        log.info("dead-letter queue tidied", queue=queue, seen=found.seen, removed=len(gone), missing=len(missing))
        return len(gone) + len(given_up)
