"""What an engine's process may use at most, and how it is cut off from what is none of its business.

Engines decode strangers' bytes, in libraries and programs written in C. So each runs in a process of its own that the
kernel bounds, without the service's logins in its environment and, where the kernel allows, without a network.
"""

import contextlib
import ctypes
import os
import re
import resource
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.errors import EngineLimitError, Limit

MB = 1 << 20

_CLONE_NEWUSER, _CLONE_NEWNET = 0x1000_0000, 0x4000_0000
_PR_SET_NO_NEW_PRIVS = 38
_MOST_THREADS = 256
# What a decoder needs to find programs, languages, fonts and its temporary folder. Nothing else is handed on.
# LECTERN_CHILD is no login: the launcher finds by it what a killed service left behind.
_KEPT = frozenset(
    {
        "HOME",
        "LANG",
        "LANGUAGE",
        "LD_LIBRARY_PATH",
        "LECTERN_CHILD",
        "OMP_NUM_THREADS",
        "OMP_THREAD_LIMIT",
        "PATH",
        "TESSDATA_PREFIX",
        "TMPDIR",
        "TZ",
    }
)
_KEPT_FAMILIES = ("LC_", "FONTCONFIG_", "MALLOC_")


_BY_SIGNAL: dict[int, Limit] = {signal.SIGXCPU: "time", signal.SIGXFSZ: "file", signal.SIGKILL: "memory"}


# How ffmpeg, tesseract, OpenCV, ONNX Runtime and Rust's programs say that the kernel gave them no memory. Of the data
# bound of a process most of them hear only so; where it is not caught, they end by an abort.
_WANT_OF_MEMORY = re.compile(
    r"cannot allocate memory|bad_alloc|out of memory|(failed|unable) to allocate|insufficient memory"
    r"|get_buffer\(\) failed|alloc\w* of (size )?\d+ (bytes )?failed|frame_thread_encoder_init failed",
    re.IGNORECASE,
)


def limit_of_signal(number: int, otherwise: Limit = "crash") -> Limit:
    """The limit that a program met which was ended by a signal of this number."""
    return _BY_SIGNAL.get(number, otherwise)


def wants_memory(said: str) -> bool:
    """Whether the words of a program or library say that it was refused memory."""
    return _WANT_OF_MEMORY.search(said) is not None


def refuse_limited(program: str, status: int, said: str) -> None:
    """Raise EngineLimitError if a limit ended a program: by its exit status and the end of what it said.

    `status` is minus the number of the signal that ended it, if one did.
    """
    wanting = status != 0 and wants_memory(said)
    if status < 0:
        limit = limit_of_signal(-status, "memory" if wanting else "crash")
        raise EngineLimitError(f"{program} was ended by signal {-status}: {said}", limit=limit)
    if wanting:
        raise EngineLimitError(f"{program} ended with {status} for want of memory: {said}", limit="memory")


@dataclass(frozen=True)
class EngineLimits:
    """`memory_bytes` is what the engine and all its programs may have resident together.

    `cpu_s` is the processor time of one call, of each program likewise; `file_bytes` the size of any file written;
    `processes` the number of programs beside the engine; `open_files` the descriptors of each process.
    """

    memory_bytes: int = 1000 * MB
    cpu_s: int = 2400
    file_bytes: int = 4096 * MB
    processes: int = 32
    open_files: int = 1024

    @property
    def data_bytes(self) -> int:
        """The kernel's own bound of each process: above `memory_bytes`, for what is set aside and never touched."""
        return self.memory_bytes * 3 // 2 + 256 * MB


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What of a service's environment its engines get. `PYTHONPATH` is where this process imports from."""
    kept = {name: value for name, value in environment.items() if name in _KEPT or name.startswith(_KEPT_FAMILIES)}
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def confine(limits: EngineLimits) -> bool:
    """Bound this process and all that it will start; whether it is without a network from now on.

    To be called first: a process with threads can no longer leave its namespaces.
    """
    alone = _leave_network()
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, limits.file_bytes)
    _lower(resource.RLIMIT_NOFILE, limits.open_files)
    if sys.platform == "linux":
        _lower(resource.RLIMIT_DATA, limits.data_bytes)
        _call_prctl(_PR_SET_NO_NEW_PRIVS, 1)
        # Should memory run out all the same, the kernel is to end the engine and not the service.
        _tell_kernel("oom_score_adj", "1000")
    if alone:  # elsewhere the bound would count all that this user runs on the machine
        _lower(resource.RLIMIT_NPROC, limits.processes + _MOST_THREADS)
    return alone


def allow_cpu(seconds: int) -> None:
    """From now on this process may use so much more processor time; then the kernel ends it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _lower(kind: int, value: int) -> None:
    """Set a limit for good, unless a lower one is in force."""
    _, hard = resource.getrlimit(kind)
    bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (bound, bound))


def _leave_network() -> bool:
    """Move into a network namespace that has no connections. False where the kernel or its rules forbid that."""
    if sys.platform != "linux":
        return False
    uid, gid = os.getuid(), os.getgid()
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return False
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        _tell_kernel(name, text)
    return True


def _tell_kernel(name: str, text: str) -> None:
    with contextlib.suppress(OSError):  # what is not allowed here, the engine does without
        Path(f"/proc/self/{name}").write_text(text, encoding="ascii")


def _call_prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
