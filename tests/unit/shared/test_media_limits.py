"""A media tool that is killed says nothing about the file: the limit is what its owner is told of."""

import sys

import pytest

from shared.errors import EngineLimitError, Limit
from shared.media import MediaToolError, run_media_tool


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


def test_a_tool_that_fails_is_told_from_one_that_is_ended() -> None:
    with pytest.raises(MediaToolError, match="status 3"):
        run_media_tool([sys.executable, "-c", "raise SystemExit(3)"], timeout_s=60)
