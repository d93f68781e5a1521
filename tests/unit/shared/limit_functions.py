"""What the tests of limits let an engine's child do."""

import os
import resource
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from shared.errors import EngineError
from shared.media import stream_media_tool
from shared.program_runs import run_program

KEPT: list[bytearray] = []


def pid() -> int:
    return os.getpid()


def take(megabytes: int) -> int:
    """Have so much memory, every page of it touched."""
    for _ in range(megabytes):
        KEPT.append(bytearray(os.urandom(4096) * 256))
        time.sleep(0.001)
    return len(KEPT)


def hold(megabytes: int, seconds: float) -> int:
    """As `take`, and keep working."""
    taken = take(megabytes)
    time.sleep(seconds)
    return taken


def take_by_programs(programs: int, megabytes: int) -> None:
    """Start programs that have so much memory each."""
    code = f"import time; kept = bytearray(b'x' * ({megabytes} << 20)); time.sleep(60)"
    for started in [subprocess.Popen([sys.executable, "-S", "-c", code]) for _ in range(programs)]:
        started.wait()


def take_at_once(megabytes: int) -> int:
    """Ask for more than the kernel gives, in one piece."""
    return len(bytearray(megabytes << 20))


def spin() -> None:
    sum(range(10**13))


def write(path: Path, megabytes: int) -> None:
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(bytes(1 << 20))


def start_programs(count: int) -> None:
    for _ in range(count):
        subprocess.Popen(["sleep", "60"])
    time.sleep(60)


def segfault() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def environments() -> tuple[str, str]:
    """What stands in /proc of the child and of a program that it starts."""
    program = subprocess.run(["cat", "/proc/self/environ"], capture_output=True, check=True)
    return Path("/proc/self/environ").read_text(), program.stdout.decode()


def connect(port: int) -> str:
    with socket.socket() as client:
        client.settimeout(5)
        try:
            client.connect(("127.0.0.1", port))
        except OSError as error:
            return type(error).__name__
    return "connected"


def core_limit() -> tuple[int, int]:
    return resource.getrlimit(resource.RLIMIT_CORE)


def raise_something() -> None:
    raise KeyError("a decoder's own fault")


def raise_as_opencv_does() -> None:
    raise RuntimeError("OpenCV(4.10.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 400 bytes")


class UnportableError(EngineError):
    def __init__(self, program: str, status: int) -> None:
        super().__init__(f"{program} ended with {status}", public_message="It did not work.")


def raise_unportable() -> None:
    raise UnportableError("decoder", 3)


class Malicious:
    """What a decoder that was taken over might answer."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.mark),)


def answer_maliciously(mark: Path) -> Malicious:
    return Malicious(mark)


def run_programs() -> str:
    """Run one program twice, once to no good end, and another that is not waited for."""
    run_program(["sh", "-c", "exit 0"], timeout_s=10)
    run_program(["sh", "-c", "exit 3"], timeout_s=10)
    with suppress(subprocess.TimeoutExpired):
        run_program(["sleep", "30"], timeout_s=0.1)
    with stream_media_tool(["yes"], timeout_s=10) as output:
        return output.readline().decode()
