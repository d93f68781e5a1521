"""Apply each mutant to a copy of the tree, and see whether the tests that are named for it fail."""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.mutants.mutant import DoesNotApplyError, Mutant

PROJECT = Path(__file__).resolve().parents[2]
# A mutant may well make a test wait for ever.
LIMIT_S = 600.0
# pytest's exit statuses: every selected test passed, and some failed. With any other the tests did not really run.
_ALL_PASSED, _SOME_FAILED = 0, 1

Outcome = Literal["killed", "survived", "not judged"]
RunTests = Callable[[Path, Sequence[str]], int | None]


@dataclass(frozen=True)
class Result:
    """What became of a mutant. `detail` says why it could not be judged."""

    mutant: str
    outcome: Outcome
    seconds: float = 0.0
    detail: str = ""


def run_tests(root: Path, selection: Sequence[str]) -> int | None:
    """pytest's exit status in the tree at `root`; None when it had to be stopped after LIMIT_S."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--numprocesses=0", "-p", "no:cacheprovider", *selection]
    try:
        return subprocess.run(
            command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=LIMIT_S, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        return None


@contextmanager
def copied_tree() -> Iterator[Path]:
    """A copy of the files that git knows or would add, as they are now, in a temporary folder."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=PROJECT, capture_output=True, check=True).stdout.decode().split("\0")
    with tempfile.TemporaryDirectory(prefix="lectern-mutants-") as folder:
        for name in filter(None, names):
            source, target = PROJECT / name, Path(folder) / name
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        yield Path(folder)


def judge(mutant: Mutant, root: Path, run: RunTests = run_tests) -> Result:
    """Apply `mutant` to the tree at `root`, run its tests, and take it back.

    A test run that never ends notices the mutant, too.
    """
    files = {root / change.file for change in mutant.changes}
    before = {path: path.read_bytes() for path in files if path.is_file()}
    began = time.monotonic()
    try:
        mutant.apply(root)
        status = run(root, mutant.tests)
    except DoesNotApplyError as error:
        return Result(mutant.name, "not judged", detail=str(error))
    finally:
        for path, content in before.items():
            path.write_bytes(content)
    seconds = round(time.monotonic() - began, 1)
    if status == _ALL_PASSED:
        return Result(mutant.name, "survived", seconds)
    if status in (_SOME_FAILED, None):
        return Result(mutant.name, "killed", seconds)
    return Result(mutant.name, "not judged", seconds, f"pytest ended with status {status}")


def passes_unchanged(mutants: Sequence[Mutant], root: Path, run: RunTests = run_tests) -> bool:
    """Whether all tests that the mutants name pass without any of them: otherwise a failure would tell nothing."""
    selections = sorted({selection for mutant in mutants for selection in mutant.tests})
    return run(root, selections) == _ALL_PASSED
