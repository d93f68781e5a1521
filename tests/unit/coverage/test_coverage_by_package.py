"""Coverage of files becomes one figure a package."""

from tests.coverage.packages import by_package, table


def _file(covered: int, statements: int, branches: int = 0, taken: int = 0) -> dict[str, dict[str, int]]:
    summary = {"covered_lines": covered, "num_statements": statements}
    return {"summary": summary | {"num_branches": branches, "covered_branches": taken}}


def test_lines_and_branches_of_a_package_are_added_up_and_the_worst_comes_first() -> None:
    files = {
        "shared/a.py": _file(9, 10),
        "shared/b.py": _file(9, 10, branches=10, taken=0),
        "shared/storage/s3.py": _file(1, 4),
        "shared/__init__.py": _file(0, 0),
    }
    assert by_package(files) == {"shared/storage": 25.0, "shared": 60.0, "total": 55.9}
    assert table(by_package(files)).splitlines()[0] == "shared/storage   25.0 %"


def test_nothing_measured_gives_no_figure() -> None:
    assert by_package({"shared/__init__.py": _file(0, 0)}) == {}
    assert table({}) == ""
