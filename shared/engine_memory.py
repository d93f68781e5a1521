"""How much memory the engines of one service have, and which one has to go when it is too much.

Resident memory counts, of an engine and of all programs below it: what the kernel's own limits bound is each process by
itself. Shared libraries are counted in each process, so the sum errs on the safe side.
"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
PROC = Path("/proc")


@dataclass(frozen=True)
class Usage:
    """What a process and all below it have: resident bytes, and the number of processes below it."""

    resident_bytes: int = 0
    programs: int = 0


def usage_of(pid: int) -> Usage:
    """What `pid` and its descendants have now; nothing where there is no /proc or no such process."""
    resident, pids, waiting = 0, 0, [str(pid)]
    while waiting:
        process = PROC / waiting.pop()
        with contextlib.suppress(OSError):  # a process may end while it is looked at
            resident += int((process / "statm").read_text().split()[1]) * PAGE_BYTES
            pids += 1
            for thread in (process / "task").iterdir():
                with contextlib.suppress(OSError):
                    waiting += (thread / "children").read_text().split()
    return Usage(resident, max(0, pids - 1))


class Member(Protocol):
    """An engine as the budget sees it."""

    @property
    def busy(self) -> bool:
        """Whether a call is under way."""
        ...

    @property
    def share(self) -> float:
        """The part of its own limit that it used when last looked at."""
        ...

    @property
    def resident_bytes(self) -> int:
        """What it had when last looked at."""
        ...

    def give_way(self) -> None:
        """End the process. A call that is under way fails with EngineLimitError."""
        ...


class MemoryBudget:
    """What all engines of a service may have together. Idle ones go first, then the one nearest to its own limit."""

    def __init__(self, total_bytes: int) -> None:
        self._total_bytes = total_bytes
        self._members: list[Member] = []

    def join(self, member: Member) -> None:
        """Count `member` from now on."""
        self._members.append(member)

    def keep(self) -> None:
        """End engines until the others fit."""
        while self._members and sum(member.resident_bytes for member in self._members) > self._total_bytes:
            largest = max(
                self._members, key=lambda member: (member.resident_bytes > 0 and not member.busy, member.share)
            )
            if largest.resident_bytes == 0:
                return
            largest.give_way()
