"""Temporary folders are removed on every path, and after a kill at the next start; a living process's stay (OPS-8)."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.scratch import Scratch

PROJECT = Path(__file__).resolve().parents[3]
HOLD = """
import sys, time
from pathlib import Path
from shared.scratch import Scratch
scratch = Scratch(Path(sys.argv[1]))
scratch.clean()
with scratch.folder() as folder:
    (folder / "half-written").write_text("x")
    print(folder, flush=True)
    time.sleep(600)
"""


@contextmanager
def other_process(root: Path) -> "Iterator[tuple[subprocess.Popen[str], Path]]":
    """A process that works in a folder of its own under `root`."""
    command = [sys.executable, "-c", HOLD, str(root)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(PROJECT)}
    ) as process:
        assert process.stdout is not None
        try:
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


def folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir())


def test_a_killed_process_s_folder_goes_at_the_next_start_and_a_living_one_s_stays(tmp_path: Path) -> None:
    with other_process(tmp_path) as (process, folder):
        neighbour = Scratch(tmp_path)
        neighbour.clean()
        neighbour.remove()
        assert (folder / "half-written").exists()
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (folder / "half-written").exists()
        scratch = Scratch(tmp_path)
        scratch.clean()
        assert not folder.exists()
        scratch.remove()


def test_a_folder_is_empty_and_removed_also_when_its_block_fails(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.clean()
    used: list[Path] = []

    def fail() -> None:
        with scratch.folder() as folder:
            used.extend([folder, *folder.iterdir()])
            (folder / "deep").mkdir()
            (folder / "deep" / "file").write_text("x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    (folder,) = used
    assert not folder.exists()
    scratch.remove()
    assert folders(tmp_path) == []


def test_two_folders_at_once_are_apart(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.clean()
    with scratch.folder() as one, scratch.folder() as other:
        assert one != other
    scratch.remove()


def test_a_folder_without_a_lock_is_given_an_hour(tmp_path: Path) -> None:
    young, old = tmp_path / "young", tmp_path / "old"
    for folder in (young, old):
        folder.mkdir()
    os.utime(old, (time.time() - 7200,) * 2)
    scratch = Scratch(tmp_path)
    scratch.clean()
    assert young.exists()
    assert not old.exists()
    scratch.remove()


def test_whoever_cleans_waits_for_the_one_that_is_just_starting(tmp_path: Path) -> None:
    """A replica between making its folder and locking it looks like a dead one."""
    with (tmp_path / "cleaning").open("w") as turn, ThreadPoolExecutor(1) as pool:
        fcntl.flock(turn, fcntl.LOCK_EX)
        scratch = Scratch(tmp_path)
        cleaning = pool.submit(scratch.clean)
        time.sleep(0.3)
        assert not cleaning.done()
        assert folders(tmp_path) == []
        fcntl.flock(turn, fcntl.LOCK_UN)
        cleaning.result(10)
    assert len(folders(tmp_path)) == 1
    scratch.remove()


def test_a_folder_before_the_start_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), Scratch(tmp_path).folder():
        pass


def test_others_cannot_look_in(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "scratch")
    scratch.clean()
    assert (tmp_path / "scratch").stat().st_mode & 0o077 == 0
    scratch.remove()
