"""Children die with their launcher, with all that they started, and never later than asked."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from deploy.local import processes
from deploy.local.processes import free_ports, is_free, listens, rotate, spawn, terminate_all

PROJECT = Path(__file__).resolve().parents[3]
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(99)"
)
# A launcher whose child starts a daemon of its own session, and prints all process ids.
FAMILY = """
import sys, time
from pathlib import Path
from deploy.local.processes import guardian, spawn
child = spawn("parent", [sys.executable, "-c", '''
import os, subprocess, time
daemon = subprocess.Popen(["sleep", "99"], start_new_session=True)
same_group = subprocess.Popen(["sleep", "99"])
print(os.getpid(), daemon.pid, same_group.pid, flush=True)
time.sleep(99)
'''], log=Path(sys.argv[1]))
while len(Path(sys.argv[1]).read_text().split()) < 3:
    time.sleep(0.02)
print(guardian().pid, Path(sys.argv[1]).read_text(), flush=True)
time.sleep(99)
"""


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie that nobody has collected does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition, *, limit_s: float = 40.0) -> bool:
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@contextlib.contextmanager
def family(folder: Path):
    """A running launcher, and the ids of its guard, child and two grandchildren."""
    launcher = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(FAMILY), str(folder / "child.log")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
    )
    pids = [int(word) for word in launcher.stdout.readline().split()]
    assert len(pids) == 4
    assert all(map(alive, pids))
    try:
        yield launcher, pids
    finally:
        launcher.kill()
        launcher.wait()
        launcher.stdout.close()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
class TestNothingSurvives:
    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
    def test_end_of_launcher(self, tmp_path, number):
        with family(tmp_path) as (launcher, pids):
            launcher.send_signal(number)
            launcher.wait()
            assert wait_until(lambda: not any(map(alive, pids)))

    def test_launcher_and_child_killed_at_once(self, tmp_path):
        with family(tmp_path) as (launcher, pids):
            os.kill(pids[1], signal.SIGKILL)
            launcher.kill()
            assert wait_until(lambda: not any(map(alive, pids)))

    def test_killed_guard_leaves_the_child_to_the_kernel(self, tmp_path):
        with family(tmp_path) as (launcher, (guard, child, *grandchildren)):
            os.kill(guard, signal.SIGKILL)
            launcher.kill()
            assert wait_until(lambda: not alive(child))
            for pid in grandchildren:  # nobody was left to know of them: end them here
                os.kill(pid, signal.SIGKILL)

    async def test_killed_child_takes_its_own_along(self, tmp_path):
        log = tmp_path / "log"
        daemon = "subprocess.Popen(['sleep', '99'], start_new_session=True)"
        script = f"import subprocess, time; print({daemon}.pid, flush=True); time.sleep(99)"
        child = spawn("parent", [sys.executable, "-c", script], log=log)
        assert wait_until(lambda: log.read_text().strip())
        grandchild = int(log.read_text())
        os.kill(child.pid, signal.SIGKILL)
        assert await child.wait() == -signal.SIGKILL
        assert not alive(grandchild)


async def test_terminate_all_kills_the_deaf_and_is_done_in_time(tmp_path):
    log = tmp_path / "deaf.log"
    deaf = [spawn(f"deaf {n}", [sys.executable, "-c", STUBBORN], log=tmp_path / f"{n}.log") for n in range(3)]
    polite = spawn("polite", ["sleep", "99"], log=log)
    assert wait_until(lambda: all((tmp_path / f"{n}.log").read_text() for n in range(3)))
    began = time.monotonic()
    killed = await terminate_all([*deaf, polite], timeout_s=0.5)
    assert time.monotonic() - began < 3
    assert killed == ["deaf 0", "deaf 1", "deaf 2"]
    assert polite.exit_status == -signal.SIGTERM
    assert not any(child.running for child in deaf)


async def test_terminate_all_of_nothing_returns_at_once():
    assert await terminate_all([], timeout_s=5) == []


async def test_missing_program_is_an_exit_and_a_line_in_the_log(tmp_path):
    child = spawn("nothing", ["/no/such/program"], log=tmp_path / "log")
    assert await child.wait() == 1
    assert "/no/such/program" in (tmp_path / "log").read_text()


async def test_children_are_refused_off_the_main_thread(tmp_path):
    with pytest.raises(RuntimeError, match="main thread"):
        await asyncio.to_thread(spawn, "x", ["true"], log=tmp_path / "log")


async def test_environment_is_replaced_by_the_one_given(tmp_path):
    child = spawn("env", ["/usr/bin/env"], log=tmp_path / "log", environment={"ONLY": "this"})
    assert await child.wait() == 0
    names = {line.partition("=")[0] for line in (tmp_path / "log").read_text().splitlines()}
    assert names - {"LC_CTYPE"} == {"ONLY", "LECTERN_CHILD"}  # Python adds the former where no locale is set


def test_free_ports_differ_and_can_be_used():
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert all(is_free(port) and not listens(port) for port in ports)


class TestRotation:
    def test_small_log_goes_on(self, tmp_path):
        log = tmp_path / "a.jsonl"
        log.write_text("line\n")
        rotate(log)
        assert log.read_text() == "line\n"

    def test_large_logs_move_on_and_the_oldest_goes(self, tmp_path, monkeypatch):
        monkeypatch.setattr(processes, "LOG_LIMIT_BYTES", 4)
        log = tmp_path / "a.jsonl"
        for number in range(6):
            log.write_text(f"run {number}\n")
            rotate(log)
        left = {path.name: path.read_text() for path in tmp_path.iterdir()}
        assert left == {"a.jsonl.1": "run 5\n", "a.jsonl.2": "run 4\n", "a.jsonl.3": "run 3\n"}

    def test_the_folder_is_made(self, tmp_path):
        rotate(tmp_path / "logs" / "a.jsonl")
        assert (tmp_path / "logs").is_dir()
