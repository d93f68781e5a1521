"""Nothing outlives its launcher: the small program that makes sure, and what it shares with its launcher.

Run as a script (standard library only, it starts in milliseconds) it plays one of two parts:

- `guard.py exec PARENT_PID COMMAND ...` becomes COMMAND, having asked Linux to kill it when PARENT_PID dies;
- `guard.py watch MARK` reads process ids from standard input and, when that ends because the launcher is gone in
  whatever way, kills their process groups and every process whose environment carries MARK. It covers what the kernel
  does not: grandchildren, daemons that left their group, and macOS, which has no death signal.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
from pathlib import Path

MARK_VARIABLE = "LECTERN_CHILD"
PR_SET_PDEATHSIG = 1
PROC = Path("/proc")
CLEANUP_LIMIT_S = 5.0


def kill_group(leader: int) -> None:
    """Kill the process group that `leader` started, if anything of it is left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def marked_processes(mark: str) -> list[int]:
    """Living processes whose environment holds MARK_VARIABLE beginning with `mark`. Empty where there is no /proc."""
    needle = f"{MARK_VARIABLE}={mark}".encode()
    found = []
    for folder in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            environment = (folder / "environ").read_bytes()  # empty for a zombie, which is what we want
            if any(entry.startswith(needle) for entry in environment.split(b"\0")):
                found.append(int(folder.name))
    return [pid for pid in found if pid != os.getpid()]


def kill_marked(mark: str, *, limit_s: float = CLEANUP_LIMIT_S) -> None:
    """Kill every marked process, looking again until none is left: one may have forked while we looked."""
    deadline = time.monotonic() + limit_s
    while (left := marked_processes(mark)) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def become(parent: int, command: list[str]) -> None:
    """Replace this process by `command`, bound to the life of the process `parent`."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the request above was in force
        sys.exit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606 - replacing ourselves without a shell is the purpose
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


def watch(mark: str) -> None:
    """Collect process ids, one a line (`-` before one withdraws it), until the launcher is gone; then clean up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # only the launcher's end ends the guard
    groups: set[int] = set()
    for line in sys.stdin:
        pid = int(line)
        if pid > 0:
            groups.add(pid)
        else:
            groups.discard(-pid)
    for leader in groups:
        kill_group(leader)
    kill_marked(mark)


if __name__ == "__main__":
    if sys.argv[1] == "exec":
        become(int(sys.argv[2]), sys.argv[3:])
    else:
        watch(sys.argv[2])
