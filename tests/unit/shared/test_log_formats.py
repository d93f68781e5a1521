"""How log lines look: JSON unless told otherwise, and what libraries fail over in the background is one line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
SPEAKER = """
import asyncio, gc, logging
import structlog
from shared.telemetry import start_logging
from shared.telemetry.logs import tell_background_errors

start_logging("test", "info", "{form}")
structlog.get_logger().info("hello", unit="speech-1")
try:
    raise ConnectionResetError("line one\\nline two")
except OSError:
    logging.getLogger("aio_pika.connection").exception("lost")

async def fails(error):
    raise error

async def main():
    loop = asyncio.get_running_loop()
    undo = tell_background_errors(loop)
    for error in (ConnectionResetError("gone"), RuntimeError("a defect")):
        task = loop.create_task(fails(error))
        await asyncio.wait([task])
        del task
        gc.collect()
    undo()
    assert loop.get_exception_handler() is None

asyncio.run(main())
"""


def said(form: str) -> list[str]:
    source = SPEAKER.replace("{form}", form)
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True, cwd=PROJECT)
    return done.stderr.splitlines()


@pytest.mark.parametrize("form", ["auto", "json"])
def test_lines_are_json_where_no_terminal_reads_them(form: str) -> None:
    hello, lost, gone, defect = (json.loads(line) for line in said(form))
    assert (hello["event"], hello["service"], hello["unit"]) == ("hello", "test", "speech-1")
    assert lost["event"] == "lost (ConnectionResetError: line one line two)"
    assert "exception" not in lost
    assert (gone["event"], gone["error"], gone["text"]) == ("error in the background", "ConnectionResetError", "gone")
    assert "exception" not in gone
    assert (defect["error"], "Traceback" in defect["exception"]) == ("RuntimeError", True)


def test_lines_for_people_are_text() -> None:
    hello = said("console")[0]
    assert not hello.startswith("{")
    assert "hello" in hello
    assert "unit=speech-1" in hello
