"""Whether each computation that was made a second time had a lawful reason.

A result that is kept is never computed again: whoever begins after having looked when it was there has no excuse. What
was not kept is computed again because it failed as it was told, because its process was killed, because a dependency
that was disturbed took no result, or because two deliveries of one message raced. Of a race the cause must be there: a
lost connection to the broker, a process that was killed between publishing and acknowledging, a copy from outside, or
units that ended at the same moment.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from tests.chaos.disturbances import AFTER_S, BROKER, COPIES, DATABASE, PROCESS, STORAGE, Disturbances
from tests.chaos.ledger import Computation, Ledger

# What is known to be dead was dead a moment before; the run hears of it when it has the time.
HEARD_LATE_S = 2.0
UNWANTED = ("JobGoneError", "RunCancelledError")
REFUSED = "InvalidSourceError"
# Which errors a disturbance leads to. A computation is cancelled where its message was lost with its connection.
CAUSES: dict[str, tuple[str, ...]] = {
    "DatabaseError": (DATABASE,),
    "StorageError": (STORAGE,),
    "ScratchError": (STORAGE,),
    "OSError": (STORAGE,),
    "CancelledError": (BROKER, PROCESS),
}
_UNIT = re.compile(r"^(source|plan|(speech|slides|pages)-\d+)")
SECOND_DELIVERY = (BROKER, PROCESS, COPIES)


def findings(ledger: Ledger, disturbances: Disturbances) -> list[str]:
    """Each computation that was made again without a reason, in words."""
    return [
        f"{later.checkpoint} of job {later.job_id} was computed again without a reason: {fault}"
        for earlier, later in _repeats(ledger)
        if (fault := fault_of(earlier, later, ledger, disturbances)) is not None
    ]


def _repeats(ledger: Ledger) -> Iterator[tuple[Computation, Computation]]:
    for found in ledger.by_place.values():
        yield from pairwise(found)


def fault_of(earlier: Computation, later: Computation, ledger: Ledger, disturbances: Disturbances) -> str | None:
    """Why `later` should not have been; None where it has a reason."""
    kept_at = min(_kept_at(later, ledger), default=later.looked_at)
    if kept_at < later.looked_at:
        return f"its result had been kept for {later.looked_at - kept_at:.3f} s when it was looked for"
    if earlier.outcome == "failed":
        return None
    died_at = disturbances.deaths.get(earlier.pid)
    if earlier.fate is None and died_at is not None and died_at - HEARD_LATE_S <= later.begun_at:
        return None
    if earlier.fate_at is None or earlier.fate_at > later.looked_at:
        return _fault_of_race(earlier, later, ledger, disturbances)
    return _fault_of_loss(earlier, later, ledger, disturbances)


def _kept_at(later: Computation, ledger: Ledger) -> Iterator[float]:
    """When its result was kept; one of which something is missing counts for its run alone."""
    for name in (later.checkpoint, f"{later.checkpoint}-of-run-{later.run}"):
        yield from ledger.kept_at.get((later.job_id, name), ())


def _fault_of_race(earlier: Computation, later: Computation, ledger: Ledger, disturbances: Disturbances) -> str | None:
    if earlier.pid == later.pid:
        return f"process {later.pid} was at it already"
    return _fault_of_delivery(later, ledger, disturbances)


def _fault_of_delivery(later: Computation, ledger: Ledger, disturbances: Disturbances) -> str | None:
    """Why there should have been no second message about it; None where there is a reason for one."""
    if _UNIT.match(later.checkpoint) is None and _joined_by_several(later, ledger):
        return None
    since = min(one.begun_at for one in ledger.computations if one.job_id == later.job_id)
    if disturbances.any(SECOND_DELIVERY, since=since, until=later.begun_at, after_s=AFTER_S):
        return None
    return "nothing had disturbed the broker or a service, and no copy of a message was sent"


def _joined_by_several(later: Computation, ledger: Ledger) -> bool:
    """Whether several units of the job ended so close together that each found all done, and told of the whole.

    None can do so twice: more such messages than units have another reason.
    """
    units = {place for place in ledger.kept_at if place[0] == later.job_id and _UNIT.match(place[1])}
    joined = [at for at in ledger.kept_at.get((later.job_id, "document"), ()) if at < later.begun_at]
    return 1 < len(joined) <= len(units)


def _fault_of_loss(earlier: Computation, later: Computation, ledger: Ledger, disturbances: Disturbances) -> str | None:
    if earlier.fate in UNWANTED:
        return None if later.run > earlier.run else f"nobody wanted it any more ({earlier.fate})"
    if earlier.fate == REFUSED:
        return _fault_of_delivery(later, ledger, disturbances)
    causes = CAUSES.get(str(earlier.fate), ())
    until = earlier.fate_at or later.begun_at
    if disturbances.any(causes, since=earlier.begun_at, until=until, after_s=AFTER_S):
        return None
    return f"the first ended with {earlier.fate}, and nothing that leads to it had been done"
