"""What is left in the broker's queues."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploy.local.broker_client import connected
from services.gateway.dead_letters.letter import letter_id, letter_key
from services.gateway.dead_letters.letters import INLINE_BYTES, OBJECTS
from shared.messaging.headers import HISTORY, REASON, REPLAYS, number
from shared.messaging.logs import job_of
from shared.messaging.topology import BURIALS, CHECKS, WORK_QUEUES, retry_name, tiers_s
from shared.storage.check import PREFIX
from tests.chaos.cases import Case
from tests.chaos.clients import Account
from tests.chaos.hostile import Hostile
from tests.chaos.inventory import Objects
from tests.chaos.stack import RETRY_DELAYS_S, Stack
from tests.chaos.submitter import INBOX
from tests.chaos.tap import TAP_QUEUE

_TIERS = [retry_name(tier_s) for delay_s in RETRY_DELAYS_S for tier_s in tiers_s(delay_s)]
LIVE_QUEUES = (*(queue.name for queue in WORK_QUEUES), BURIALS.name, *_TIERS)


@dataclass(frozen=True)
class DeadLetter:
    """A message in a dead-letter queue."""

    queue: str
    message_id: str | None
    job_id: str | None
    headers: dict[str, Any]
    body: bytes

    @property
    def reason(self) -> str | None:
        """Why it is there, by the product's own header."""
        value = self.headers.get(REASON)
        return None if value is None else str(value)

    @property
    def key(self) -> str:
        """Which death of which message it is."""
        return letter_key(letter_id(self.queue, self.message_id, self.body), number(self.headers, REPLAYS))

    def fault(self) -> str | None:
        """What is wrong with its headers."""
        if self.reason in (None, "", "retry"):
            if "x-first-death-reason" in self.headers:
                return None  # the broker gave it up, and says why in its own way
            why = {name: value for name, value in self.headers.items() if "death" in name}
            return f"has no reason ({REASON}: {self.reason}; the broker says {str(why)[:300]})"
        try:
            history = json.loads(str(self.headers.get(HISTORY)))
        except json.JSONDecodeError:
            history = None
        return None if isinstance(history, list) and history else f"has no history ({HISTORY})"


async def counts(stack: Stack) -> dict[str, tuple[int, int]]:
    """Messages ready and unacknowledged of every queue, by the broker's own tool."""
    command = ("list_queues", "--silent", "name", "messages_ready", "messages_unacknowledged")
    table = await asyncio.to_thread(stack.node.control, *command)
    rows = [line.split("\t") for line in table.splitlines() if line.count("\t") == 2]
    return {name: (int(ready), int(held)) for name, ready, held in rows}


async def ready_counts(url: str) -> dict[str, int]:
    """Messages ready in the queues of work: cheap, but blind to those in hand."""
    async with connected(url) as connection:
        channel = await connection.channel()
        found = {}
        for name in LIVE_QUEUES:
            queue = await channel.declare_queue(name, passive=True)
            found[name] = queue.declaration_result.message_count or 0
        return found


async def dead_letters(url: str) -> list[DeadLetter]:
    """Every dead letter. They are gone from the broker afterwards."""
    found = []
    async with connected(url) as connection:
        channel = await connection.channel()
        for work in WORK_QUEUES:
            queue = await channel.get_queue(work.dead_letters, ensure=False)
            while (message := await queue.get(no_ack=True, fail=False)) is not None:
                job_id = job_of(message.body)
                headers = dict(message.headers)
                found.append(DeadLetter(work.name, message.message_id, job_id, headers, message.body))
    return found


def stored_findings(letters: list[DeadLetter], stored: Objects) -> list[str]:
    """Objects of no job: only the bodies of large dead letters may be that, each once."""
    bodies = [key for key in stored if key.startswith(OBJECTS)]
    large = len({(letter.queue, letter.key) for letter in letters if len(letter.body) > INLINE_BYTES})
    found = [f"object {key} is nobody's" for key in sorted(stored) if not key.startswith((OBJECTS, PREFIX, INBOX))]
    if len(bodies) != large:
        found.append(
            f"{len(bodies)} bodies of dead letters are stored, and {large} dead letters are that large: {bodies}"
        )
    return found


def settled_jobs(cases: dict[str, Case]) -> set[str]:
    """Jobs whose dead letters are removed, because the job was retried, replayed or deleted."""
    return {job_id for job_id, case in cases.items() if case.mended or case.deleted or case.unsure}


async def account_findings(administrator: Account, letters: list[DeadLetter], cases: dict[str, Case]) -> list[str]:
    """Whether the gateway's list of dead letters and the dead-letter queues agree.

    Letters that were settled, because their job was retried, replayed or deleted, leave their queue a while later. A
    message that was buried several times lies there as often, and is listed once.
    """
    settled = settled_jobs(cases)
    listed = Counter(one["queue"] for one in await administrator.all_dead_letters() if one["job_id"] not in settled)
    lying = Counter(queue for queue, _ in {(one.queue, one.key) for one in letters if one.job_id not in settled})
    return [
        f"{lying[queue]} dead letters lie in {queue}.dlq, {listed[queue]} are listed"
        for queue in sorted(listed.keys() | lying.keys())
        if listed[queue] != lying[queue]
    ]


def leftover_findings(left: dict[str, tuple[int, int]]) -> list[str]:
    """Queues that should be empty and are not; and those that should be there."""
    found = [f"queue {name} is gone" for name in LIVE_QUEUES if name not in left]
    for name, (ready, held) in sorted(left.items()):
        if (ready or held) and not name.endswith(".dlq") and name not in (TAP_QUEUE, CHECKS):
            found.append(f"queue {name} still has {ready} messages ready and {held} in hand")
    return found


def unanswered(jobs: Mapping[str, dict[str, Any]], cases: list[Case]) -> dict[str, Case]:
    """The jobs that were accepted without an answer, each with a case of its content whose owner had none."""
    accepted = {case.job_id for case in cases}
    waiting = {case.wish.content.name: case for case in cases if case.job_id is None}
    names = {job_id: job["source"]["name"] for job_id, job in jobs.items() if job_id not in accepted}
    return {job_id: waiting[name] for job_id, name in names.items() if name in waiting}


def letter_findings(
    letters: list[DeadLetter], hostiles: list[Hostile], unconfirmed: set[str], cases: dict[str, Case]
) -> list[str]:
    """Dead letters that nobody can explain, and hostile messages that went astray.

    `cases` are the jobs, accepted with or without an answer.
    """
    found = []
    buried = Counter((letter.queue, letter.message_id) for letter in letters)
    known = {str(hostile.letter.message_id) for hostile in hostiles} | unconfirmed
    for letter in letters:
        name = f"dead letter {letter.message_id} in {letter.queue}.dlq of job {letter.job_id}"
        if (fault := letter.fault()) is not None:
            found.append(f"{name} {fault}")
        case = cases.get(str(letter.job_id))
        if letter.message_id not in known and (case is None or not case.wish.content.may_fail):
            whose = f"{case.label}, {case.notes}" if case else "nobody's job"
            last = str(letter.headers.get(HISTORY))[-400:]
            found.append(f"{name} ({letter.reason}) has no cause in {whose}: ...{last}")
    settled = settled_jobs(cases)
    for hostile in hostiles:
        if job_of(hostile.letter.body) in settled:
            continue
        missing = [queue for queue in hostile.graves if not buried[queue, hostile.letter.message_id]]
        if missing:
            found.append(f"{hostile.what} is not in the dead letters of {', '.join(missing)}")
    return found
