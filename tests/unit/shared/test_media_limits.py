"""A media tool that is killed says nothing about the file: the limit is what its owner is told of."""

import sys
from collections.abc import Callable

import pytest

from services.transcription.slides import programs
from shared.errors import EngineLimitError, Limit
from shared.media import MediaToolError, run_media_tool, stream_media_tool


@pytest.mark.parametrize(
    ("name", "limit"), [("SIGKILL", "memory"), ("SIGXCPU", "time"), ("SIGXFSZ", "file"), ("SIGSEGV", "crash")]
)
def test_a_tool_that_is_ended_by_its_limit_is_no_damaged_file(name: str, limit: Limit) -> None:
    script = f"import os, signal; signal.signal(signal.{name}, 0) if '{name}' != 'SIGKILL' else 0; "
    script += f"os.kill(os.getpid(), signal.{name})"
    with pytest.raises(EngineLimitError) as ended:
        run_media_tool([sys.executable, "-c", script], timeout_s=60)
    assert ended.value.limit == limit
    assert ended.value.code == "resource_limit"


def _stream(command: list[str]) -> None:
    with stream_media_tool(command, timeout_s=60) as lines:
        lines.read()


@pytest.mark.parametrize(
    "said",
    [
        "x264 [error]: malloc of size 53084160 failed",
        "Error while decoding stream #0:0: Cannot allocate memory",
        "[h264 @ 0x56479bf8e780] get_buffer() failed",
    ],
)
@pytest.mark.parametrize(
    "call",
    [
        lambda command: run_media_tool(command, timeout_s=60),
        _stream,
        lambda command: programs.run(command, 60),
        lambda command: list(programs.read_blocks(command, 10, 60)),
    ],
)
def test_a_tool_that_was_refused_memory_is_no_damaged_file(call: Callable[[list[str]], object], said: str) -> None:
    script = f"import sys; sys.stderr.write({said!r}); raise SystemExit(1)"
    with pytest.raises(EngineLimitError) as ended:
        call([sys.executable, "-c", script])
    assert ended.value.limit == "memory"


def test_a_program_that_aborts_for_want_of_memory_did_not_crash_by_itself() -> None:
    script = "import os, sys; sys.stderr.write('terminate called: std::bad_alloc'); sys.stderr.flush(); os.abort()"
    with pytest.raises(EngineLimitError) as ended:
        run_media_tool([sys.executable, "-c", script], timeout_s=60)
    assert ended.value.limit == "memory"


def test_a_tool_that_ends_well_may_have_done_without_some_memory() -> None:
    script = "import sys; sys.stderr.write('get_buffer() failed')"
    assert run_media_tool([sys.executable, "-c", script], timeout_s=60).stdout == b""


def test_a_tool_that_fails_is_told_from_one_that_is_ended() -> None:
    with pytest.raises(MediaToolError, match="status 3"):
        run_media_tool([sys.executable, "-c", "raise SystemExit(3)"], timeout_s=60)
