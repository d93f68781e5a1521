"""How ffmpeg and ffprobe are called: never over a network, never following a file that points at others, never
without an end.

They run as direct children of the caller and in its process group, so whoever kills the caller's group kills them.
"""

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread, Timer
from typing import IO

from shared.engine_limits import refuse_limited
from shared.errors import EngineError, EngineTimeoutError
from shared.program_runs import note_program

# What a lecture comes in. Playlists (hls, concat, dash ...) and image sequences are left out on purpose: they make
# ffmpeg open other files. `-format_whitelist` names demuxers, `-protocol_whitelist` the ways to reach bytes.
DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,asf,mpeg,mpegts,mpegvideo,mp3,wav,w64,aiff,flac,ogg,aac,ac3,amr,caf"
)
PROTOCOLS = "file,pipe"
MAX_STREAMS = 64
MAX_PIXELS = 8192 * 8192  # a picture above this is not decoded, not even while probing
STDERR_TAIL_BYTES = 8_192
MAX_OUTPUT_BYTES = 16 << 20


class MediaToolError(EngineError):
    """ffmpeg or ffprobe ended with an error. `stderr` is the end of what it said: internal, it may name paths."""

    code = "media_tool"
    default_message = "The media tool could not process this file."

    def __init__(self, program: str, reason: str, stderr: str = "") -> None:
        super().__init__(f"{program} {reason}: {stderr.strip()[-2000:]}")
        self.stderr = stderr


@dataclass(frozen=True)
class ToolOutput:
    """What a finished tool wrote: all of stdout, the end of stderr."""

    stdout: bytes
    stderr: str


def media_input(path: Path) -> list[str]:
    """Arguments that open `path` as an input, safely. The path is absolute so that no name is read as an option."""
    return [
        "-protocol_whitelist",
        PROTOCOLS,
        "-format_whitelist",
        DEMUXERS,
        "-max_streams",
        str(MAX_STREAMS),
        "-max_pixels",
        str(MAX_PIXELS),
        "-i",
        f"file:{path.resolve()}",
    ]


def timed_input(path: Path) -> list[str]:
    """`media_input` for ffmpeg (not ffprobe) when times matter: 0 is the first time stamp of any stream.

    In transport streams ffmpeg otherwise counts from the first time stamp of the streams it was asked for, so sound
    and picture read apart would drift apart. It does so only where nothing shifts the input; a microsecond does.
    """
    return ["-itsoffset", "0.000001", *media_input(path)]


def run_media_tool(command: Sequence[str], *, timeout_s: float, max_output_bytes: int = MAX_OUTPUT_BYTES) -> ToolOutput:
    """Run ffmpeg or ffprobe to its end and return its output.

    Raises EngineTimeoutError after `timeout_s` (the child is killed), MediaToolError on a non-zero exit or when stdout
    is longer than `max_output_bytes`, EngineError when the program is not installed.
    """
    with _Child(command, timeout_s) as child:
        stdout = child.stdout.read(max_output_bytes + 1)
        if len(stdout) > max_output_bytes:
            raise MediaToolError(command[0], f"wrote more than {max_output_bytes} bytes")
        child.finish()
        return ToolOutput(stdout, child.stderr_text())


@contextmanager
def stream_media_tool(command: Sequence[str], *, timeout_s: float) -> Iterator[IO[bytes]]:
    """Run ffmpeg or ffprobe and hand its stdout to the block, to be read bit by bit with bounded memory.

    A block that reads to the end gets MediaToolError if the tool failed; one that leaves earlier ends the tool. Raises
    EngineTimeoutError when the whole, the block's own work included, takes longer than `timeout_s`.
    """
    with _Child(command, timeout_s) as child:
        yield child.stdout
        if child.timed_out or not child.stdout.read(1):
            child.finish()


class _Child:
    """A child process with a deadline, whose stderr is drained so that it never blocks and never fills memory."""

    def __init__(self, command: Sequence[str], timeout_s: float) -> None:
        self._command = list(command)
        self._timeout_s = timeout_s
        self._deadline_passed = Event()
        self._stderr_tail = b""

    def __enter__(self) -> "_Child":
        self._began_ns = time.time_ns()
        try:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except OSError as error:
            raise EngineError(f"{self._command[0]} cannot be started: {error}") from error
        self._drain = Thread(target=self._drain_stderr, daemon=True)
        self._drain.start()
        self._timer = Timer(self._timeout_s, self._kill)
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._timer.cancel()
        ended_here = self._process.poll() is None
        self._process.kill()
        self._process.wait()
        self._drain.join()
        self.stdout.close()
        exit_code = 0 if ended_here and not self.timed_out else self._process.returncode
        note_program(self._command[0], self._began_ns, time.time_ns(), exit_code)
        if self.timed_out and kind is not None and not issubclass(kind, EngineTimeoutError):
            raise self._timeout_error() from error  # what the block saw is only a consequence of the kill

    @property
    def stdout(self) -> IO[bytes]:
        """The read end of the child's stdout."""
        assert self._process.stdout is not None  # noqa: S101 - opened with PIPE, for the type checker
        return self._process.stdout

    @property
    def timed_out(self) -> bool:
        """Whether the deadline has passed and the child was killed for it."""
        return self._deadline_passed.is_set()

    def finish(self) -> None:
        """Wait for the end; raise EngineLimitError (a limit ended it) or MediaToolError unless it was good."""
        status = self._process.wait()
        self._drain.join()
        if self.timed_out:
            raise self._timeout_error()
        # The file may be sound: it is the limits that it does not fit in.
        refuse_limited(self._command[0], status, self.stderr_text()[-2000:])
        if status != 0:
            raise MediaToolError(self._command[0], f"exited with status {status}", self.stderr_text())

    def stderr_text(self) -> str:
        """The end of what the child wrote to stderr so far."""
        return self._stderr_tail.decode("utf-8", "replace")

    def _kill(self) -> None:
        self._deadline_passed.set()
        self._process.kill()

    def _drain_stderr(self) -> None:
        pipe = self._process.stderr
        assert pipe is not None  # noqa: S101 - opened with PIPE, for the type checker
        with pipe:
            while piece := pipe.read1(65_536):  # type: ignore[attr-defined] # a BufferedReader, typed as IO
                self._stderr_tail = (self._stderr_tail + piece)[-STDERR_TAIL_BYTES:]

    def _timeout_error(self) -> EngineTimeoutError:
        return EngineTimeoutError(f"{self._command[0]} was killed after {self._timeout_s:g} s")
