"""Every log line is one JSON object with service, job and trace, whoever wrote it (OPS-2)."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.messaging.logs import job_of

PROJECT = Path(__file__).resolve().parents[3]
# A process of its own: logging is set up once a process, and the tests' own handlers would be in the way.
SPEAKER = """
import logging
import structlog
from opentelemetry.sdk.trace import TracerProvider
from shared.errors import EngineError
from shared.telemetry import current_trace_id, start_logging

start_logging("test", "info")
log, other = structlog.get_logger(), logging.getLogger("elsewhere")
log.info("alone")
with TracerProvider().get_tracer("test").start_as_current_span("span"):
    with structlog.contextvars.bound_contextvars(job_id="job-00001"):
        log.info("ours", unit="speech-1")
        other.warning("theirs %s", "too")
    print(current_trace_id())
try:
    raise EngineError("line one\\nline two")
except EngineError as error:
    log.error("ours failed", exc_info=error)
    other.exception("theirs failed")
log.info('"}\\n{"level": "critical"', value={object})
log.debug("quiet")
logging.getLogger("aio_pika").info("chatter")
"""


@pytest.fixture(scope="module")
def said() -> tuple[str, dict[str, dict[str, Any]]]:
    """The trace id, and the lines by their event."""
    done = subprocess.run([sys.executable, "-c", SPEAKER], capture_output=True, text=True, check=True, cwd=PROJECT)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    return done.stdout.strip(), {line["event"]: line for line in lines}


def test_a_line_carries_service_job_and_trace(said: tuple[str, dict[str, dict[str, Any]]]) -> None:
    trace_id, lines = said
    assert len(trace_id) == 32
    ours, theirs = lines["ours"], lines["theirs too"]
    assert (ours["unit"], theirs["logger"]) == ("speech-1", "elsewhere")
    assert (ours["level"], theirs["level"]) == ("info", "warning")
    for line in (ours, theirs):
        assert (line["service"], line["job_id"], line["trace_id"]) == ("test", "job-00001", trace_id)
        assert len(line["span_id"]) == 16
        assert line["timestamp"].endswith("Z")


def test_a_line_outside_of_spans_has_no_trace(said: tuple[str, dict[str, dict[str, Any]]]) -> None:
    assert not {"trace_id", "span_id", "job_id"} & set(said[1]["alone"])


def test_an_exception_is_one_line_with_its_traceback(said: tuple[str, dict[str, dict[str, Any]]]) -> None:
    for event in ("ours failed", "theirs failed"):
        assert "Traceback" in said[1][event]["exception"]
        assert "line one\nline two" in said[1][event]["exception"]


def test_hostile_text_stays_in_its_field(said: tuple[str, dict[str, dict[str, Any]]]) -> None:
    assert said[1]['"}\n{"level": "critical"']["level"] == "info"


def test_below_the_level_nothing_is_said(said: tuple[str, dict[str, dict[str, Any]]]) -> None:
    assert not {"quiet", "chatter"} & set(said[1])


@pytest.mark.parametrize(
    ("body", "job_id"),
    [
        (b'{"job_id": "job-00001"}', "job-00001"),
        (b'{"data": {"job_id": "job-00001"}}', "job-00001"),
        (b'{"job_id": 7}', None),
        (b'{"job_id": "' + b"x" * 65 + b'"}', None),
        (b"[1]", None),
        (b"", None),
        (b"\xff\xfe", None),
        (b"[" * 100_000, None),
    ],
)
def test_the_job_of_a_message_is_found_whatever_the_body(body: bytes, job_id: str | None) -> None:
    assert job_of(body) == job_id
