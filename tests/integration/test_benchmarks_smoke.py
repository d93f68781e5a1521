"""The benchmark runs through on seconds of everything, and every figure is there. Never a time."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(480),
    pytest.mark.skipif(
        sys.platform != "linux", reason="memory and processes are read from /proc, which Linux alone has"
    ),
]

PROJECT = Path(__file__).resolve().parents[2]
SERVICES = ("gateway", "ingest", "transcription", "analysis", "rendering")
NAMES = {
    "audio_10min_ratio",
    "audio_10min_cold_ratio",
    "video_10min_realtime_x",
    "job_overhead_ratio",
    "job_overhead_p50_ms",
    "job_overhead_p99_ms",
    "bare_chain_p50_ms",
    "bare_chain_p99_ms",
    "job_burst_jobs_per_s",
    "bare_chain_burst_jobs_per_s",
    "pdf_pages_per_s",
    "pdf_ratio",
    *(f"{service}_rest_mb" for service in SERVICES),
    *(f"{service}_peak_mb" for service in SERVICES),
    "transcription_engines_peak_mb",
}


HOP_NAMES = {
    "hop_checkpoint_ratio",
    "hop_again_ratio",
    "hop_plain_p50_ms",
    "hop_checkpoint_p50_ms",
    "hop_checkpoint_p99_ms",
    "hop_again_p50_ms",
}


def measure(names, folder):
    """The figures of a quick look at `names`, and what was printed."""
    output = folder / "bench.json"
    command = [sys.executable, "-m", "tests.benchmarks", "--quick", "--only", *names, "--output", str(output)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=480, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads(output.read_text())
    assert all(name in done.stdout for name in figures)
    return figures


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    """Of one quick look at all that can share systems.

    Replicas are left out: they are the same code as audio, and a system and a model more to start. Recovery and the
    side by side with Celery take minutes even as a quick look: `make bench` alone has them.
    """
    return measure(["audio", "video", "overhead", "pdf", "hop", "traces"], tmp_path_factory.mktemp("quick"))


def test_every_figure_is_measured(figures):
    assert set(figures) >= NAMES
    assert all(math.isfinite(value) and value > 0 for name, value in figures.items() if name != "idle_spans")


def test_checkpoints_are_measured(figures):
    assert {name for name in figures if name.startswith("hop_")} == HOP_NAMES


def test_spans_are_counted(figures):
    assert {name for name in figures if name.endswith("_spans")} == {"lecture_spans", "idle_spans"}
    assert 40 < figures["lecture_spans"] <= 80
    assert figures["idle_spans"] == 0


def test_what_a_hostile_file_costs_is_measured(tmp_path):
    figures = measure(["hostile"], tmp_path)
    assert set(figures) == {"hostile_worst_s", "hostile_worst_mb", "hostile_small_file_s"}
    assert all(math.isfinite(value) and value > 0 for value in figures.values())
