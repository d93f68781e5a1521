"""Coverage of files, added up by package."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any


def by_package(files: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """The percentage of lines and branches covered in each folder that holds modules, and in `total`; lowest first.

    `files` are the `files` of coverage's JSON report.
    """
    covered: defaultdict[str, int] = defaultdict(int)
    wanted: defaultdict[str, int] = defaultdict(int)
    for path, file in files.items():
        summary = file["summary"]
        for package in (str(PurePath(path).parent), "total"):
            covered[package] += summary["covered_lines"] + summary.get("covered_branches", 0)
            wanted[package] += summary["num_statements"] + summary.get("num_branches", 0)
    figures = {package: round(100 * covered[package] / count, 1) for package, count in wanted.items() if count}
    return dict(sorted(figures.items(), key=lambda figure: (figure[0] == "total", figure[1], figure[0])))


def table(figures: Mapping[str, float]) -> str:
    """One line a package."""
    widest = max(map(len, figures), default=0)
    return "".join(f"{package:<{widest}}  {percent:5.1f} %\n" for package, percent in figures.items())
