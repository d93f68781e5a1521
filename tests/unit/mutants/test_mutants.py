"""The mutants fit the present code, and what is made of a test run's end is right."""

import ast
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import Change, DoesNotApplyError, Mutant
from tests.mutants.run import PROJECT, judge, passes_unchanged

BEFORE = "kept = look()\nanswer = kept\n"


def _mutant(before: str = "kept = look()") -> Mutant:
    return Mutant("no-look", "Work is done twice", (Change("a.py", before, "kept = None"),), ("tests/a.py",))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text(BEFORE)
    return tmp_path


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_applies_to_the_present_code_and_names_tests_that_exist(mutant: Mutant, tmp_path: Path) -> None:
    for change in mutant.changes:
        copy = tmp_path / change.file
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not copy.exists():
            copy.write_text((PROJECT / change.file).read_text())
    mutant.apply(tmp_path)
    for change in mutant.changes:
        if change.file.endswith(".py"):
            ast.parse((tmp_path / change.file).read_text())
    for selection in mutant.tests:
        path, *names = selection.split("::")
        assert (PROJECT / path).exists(), selection
        assert all(f"def {name.partition('[')[0]}(" in (PROJECT / path).read_text() for name in names), selection


def test_names_are_unique() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("status", "outcome"), [(0, "survived"), (1, "killed"), (None, "killed"), (2, "not judged"), (5, "not judged")]
)
def test_the_end_of_the_tests_says_what_became_of_the_mutant(root: Path, status: int | None, outcome: str) -> None:
    seen = []

    def run(where: Path, selection: Sequence[str]) -> int | None:
        seen.append(((where / "a.py").read_text(), tuple(selection)))
        return status

    assert judge(_mutant(), root, run).outcome == outcome
    assert seen == [("kept = None\nanswer = kept\n", ("tests/a.py",))]
    assert (root / "a.py").read_text() == BEFORE


@pytest.mark.parametrize("before", ["kept", "lost"])
def test_a_mutant_that_fits_no_place_or_two_is_not_judged(root: Path, before: str) -> None:
    result = judge(_mutant(before), root, lambda *_: pytest.fail("no test may run"))
    assert result.outcome == "not judged"
    assert (root / "a.py").read_text() == BEFORE
    with pytest.raises(DoesNotApplyError):
        _mutant(before).apply(root)


def test_tests_that_fail_anyway_tell_nothing(root: Path) -> None:
    assert passes_unchanged([_mutant()], root, lambda *_: 0)
    assert not passes_unchanged([_mutant()], root, lambda *_: 1)
