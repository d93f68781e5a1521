"""After peace: everything ends in order, starts once more, leaves nothing behind, and ends."""

import asyncio
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from shared.service import LOST
from tests.chaos import inventory
from tests.chaos.disturbances import AFTER_S, BROKER, DATABASE, STORAGE, Disturbances
from tests.chaos.nursery import Unit
from tests.chaos.stack import MARK_VARIABLE, SHUTDOWN_S, Stack

STOP_LIMIT_S = SHUTDOWN_S + 7.0
FEW_FILES = 150
DEPENDENCIES = (BROKER, DATABASE, STORAGE)


def ends_of_its_own(units: Iterable[Unit], disturbances: Disturbances) -> list[str]:
    """Processes that ended during the run without having been killed.

    One that loses a dependency while it starts may end with status 1: it holds nothing yet, and is started again. So
    may one whose connection to the broker does not come back, which tells that by its status.
    """
    return [
        f"{unit.label} ended by itself with status {status}: {unit.log.name}"
        for unit in units
        for status, at in zip(unit.statuses, unit.ended_at, strict=True)
        if status not in (-signal.SIGKILL, LOST)
        and not (status == 1 and disturbances.any(DEPENDENCIES, since=at, until=at, after_s=AFTER_S))
    ]


async def end_in_order(stack: Stack) -> list[str]:
    """Stop all services, start them, look for what dead processes left, and stop them. What is wrong with it."""
    found = _many_files(stack)
    found += await _stop(stack)
    _let_time_pass(stack)
    await stack.nursery.start_all()
    try:
        await stack.until_ready()
    except TimeoutError as error:
        found.append(f"after the last restart: {error}")
    await asyncio.sleep(1.0)
    found += await asyncio.to_thread(inventory.leftovers, stack)
    found += await asyncio.to_thread(inventory.unfinished, stack)
    found += await _stop(stack)
    found += [f"scratch folder {path.name} outlived its process" for path in _scratch_folders(stack)]
    found += _marked(stack)
    return found


async def _stop(stack: Stack) -> list[str]:
    late = await stack.nursery.stop_all(within_s=STOP_LIMIT_S)
    found = [f"{label} did not end within {STOP_LIMIT_S:.0f} s of SIGTERM" for label in late]
    found += [
        f"{unit.label} ended with status {unit.statuses[-1]} when it was told to: {unit.log.name}"
        for unit in stack.nursery.units
        if unit.label not in late and unit.statuses and unit.statuses[-1] not in (0, -15)
    ]
    return found


def _let_time_pass(stack: Stack) -> None:
    """Make half-written files old: the store leaves those of the last minute alone."""
    before = time.time() - 7200
    partial = stack.home / "partial"
    for path in partial.iterdir() if partial.exists() else ():
        os.utime(path, (before, before))


def _scratch_folders(stack: Stack) -> list[Path]:
    return [path for path in (stack.home / "scratch").glob("*/*") if path.is_dir()]


def _many_files(stack: Stack) -> list[str]:
    found = []
    for unit in stack.nursery.units:
        if unit.pid is not None:
            count = len(list(Path(f"/proc/{unit.pid}/fd").iterdir()))
            if count > FEW_FILES:
                found.append(f"{unit.label} has {count} files and connections open when there is nothing to do")
    return found


def _marked(stack: Stack) -> list[str]:
    """Processes that carry the run's mark. Those forked of the fork server show its environment, not their own."""
    needle = f"{MARK_VARIABLE}={stack.mark}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if needle in (folder / "environ").read_bytes().split(b"\0"):
                found.append(f"process {folder.name} is left: {(folder / 'cmdline').read_bytes()[:200]!r}")
        except OSError:
            continue
    return found
