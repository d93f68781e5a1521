"""How much memory processes hold, from /proc (Linux only).

The proportional set size shares out what several processes map, so that sums of it are true.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path

PROC = Path("/proc")
SAMPLE_EVERY_S = 0.5


def pss_mb(pid: int, proc: Path = PROC) -> float:
    """Proportional set size of a process in MB (10^6 bytes); 0 when it is gone."""
    try:
        lines = (proc / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    for line in lines:
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def children_of(proc: Path = PROC) -> dict[int, list[int]]:
    """The children of every process."""
    children: dict[int, list[int]] = defaultdict(list)
    for folder in proc.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            # The name in the second field may hold spaces and brackets; the parent is the second field after it.
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            children[parent].append(int(folder.name))
    return children


def descendants(pid: int, children: Mapping[int, list[int]]) -> list[int]:
    """All processes below `pid`."""
    found: list[int] = []
    waiting = list(children.get(pid, ()))
    while waiting:
        current = waiting.pop()
        found.append(current)
        waiting += children.get(current, ())
    return found


def sample(pids: Mapping[str, Iterable[int]]) -> dict[str, tuple[float, float]]:
    """For each name the memory of its processes themselves and of all below them (its engines), in MB."""
    children = children_of()
    return {
        name: (
            sum(pss_mb(pid) for pid in own),
            sum(pss_mb(below) for pid in own for below in descendants(pid, children)),
        )
        for name, own in pids.items()
    }


class Peaks:
    """The largest value seen of each service and of its engines, in MB."""

    def __init__(self) -> None:
        self.own_mb: dict[str, float] = {}
        self.engines_mb: dict[str, float] = {}

    def see(self, seen: Mapping[str, tuple[float, float]]) -> None:
        """Take a sample into account."""
        for name, (own_mb, engines_mb) in seen.items():
            self.own_mb[name] = max(own_mb, self.own_mb.get(name, 0.0))
            self.engines_mb[name] = max(engines_mb, self.engines_mb.get(name, 0.0))

    @contextlib.asynccontextmanager
    async def watching(self, pids: Mapping[str, Iterable[int]]) -> AsyncIterator[None]:
        """Sample every SAMPLE_EVERY_S while the context lasts."""

        async def watch() -> None:
            while True:
                self.see(sample(pids))
                await asyncio.sleep(SAMPLE_EVERY_S)

        task = asyncio.create_task(watch())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
