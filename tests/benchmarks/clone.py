"""From `git clone` to the first handout, as a stranger would: one command, nothing made before."""

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from deploy.local.services import PROJECT
from tests.benchmarks.figures import Figure, Goal

LIMIT_S = 1800.0
STOP_LIMIT_S = 30.0
STOP_GOAL = Goal(15.0)
SIGN = "handout.pdf"
# What would lead the copy to this checkout's environment, servers or state.
HIDDEN = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
PREFIXES = ("LECTERN_", "GATEWAY_", "INGEST_", "TRANSCRIPTION_", "ANALYSIS_", "RENDERING_")


def environment() -> dict[str, str]:
    """This process's environment without what a stranger would not have."""
    return {name: value for name, value in os.environ.items() if name not in HIDDEN and not name.startswith(PREFIXES)}


def measure() -> list[Figure]:
    """Clone the committed state into a temporary folder, `make run`, wait for the handout, Ctrl-C."""
    with tempfile.TemporaryDirectory(prefix="lectern-clone-", ignore_cleanup_errors=True) as name:
        folder = Path(name) / "lectern"
        began_s = time.perf_counter()
        subprocess.run(["git", "clone", "--quiet", str(PROJECT), str(folder)], check=True)
        clone_s = time.perf_counter() - began_s
        with (Path(name) / "output").open("w+") as output:
            process = subprocess.Popen(
                ["make", "run"],
                cwd=folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                _until_printed(Path(name) / "output", process, began_s + LIMIT_S)
                took_s = time.perf_counter() - began_s
            finally:
                stop_s = _stop(process)
    return [
        Figure("clone_to_first_handout_s", took_s, note=f"the clone itself {clone_s:.1f} s"),
        Figure("stop_s", stop_s, STOP_GOAL, note="from Ctrl-C to the end of `make run`"),
    ]


def _until_printed(log: Path, process: "subprocess.Popen[bytes]", deadline_s: float) -> None:
    while SIGN not in log.read_text(errors="replace"):
        if process.poll() is not None or time.perf_counter() > deadline_s:
            raise RuntimeError(f"no handout came: {log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.1)


def _stop(process: "subprocess.Popen[bytes]") -> float:
    """Ctrl-C, as a terminal sends it: to the whole group. Returns the seconds until it has ended."""
    began_s = time.perf_counter()
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return time.perf_counter() - began_s
