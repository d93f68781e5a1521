"""Figures with units and goals, as one aligned table and one flat JSON object."""

import json
import math
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# A name says its unit: seconds, milliseconds, megabytes, a ratio, a multiple of real time, or what is counted.
_NAME = re.compile(r"^[a-z0-9]+(_[a-z0-9]+)*_(s|ms|mb|ratio|x|jobs|stages|results|spans)$")


@dataclass(frozen=True)
class Goal:
    """What a figure should be: at most or at least `bound`."""

    bound: float
    at_least: bool = False

    def is_met(self, value: float) -> bool:
        """Whether `value` reaches it."""
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.bound:g}"


@dataclass(frozen=True)
class Figure:
    """A measured number. `name` ends in its unit; `note` says how it came about."""

    name: str
    value: float
    goal: Goal | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if not _NAME.match(self.name):
            raise ValueError(f"{self.name} does not end in a unit")
        if not math.isfinite(self.value):
            raise ValueError(f"{self.name} is {self.value}")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of `values` lie, interpolated between neighbours."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def median(values: Sequence[float]) -> float:
    """The middle of `values`."""
    return statistics.median(values)


def shown(value: float) -> str:
    """`value` with three significant digits, whole above a hundred."""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:#.3g}".rstrip(".")


def table(figures: Sequence[Figure]) -> str:
    """All figures under each other, numbers aligned to the right."""
    rows = [("figure", "value", "goal", "", "how")]
    for figure in figures:
        verdict = "" if figure.goal is None else ("met" if figure.goal.is_met(figure.value) else "MISSED")
        rows.append((figure.name, shown(figure.value), str(figure.goal or ""), verdict, figure.note))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = []
    for name, value, goal, verdict, note in rows:
        cells = (name.ljust(widths[0]), value.rjust(widths[1]), goal.ljust(widths[2]), verdict.ljust(widths[3]), note)
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def write_json(figures: Sequence[Figure], path: Path) -> None:
    """All figures as one flat object. Raises ValueError when a name comes twice."""
    values = {figure.name: round(figure.value, 6) for figure in figures}
    if len(values) != len(figures):
        raise ValueError("two figures have one name")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values, indent=1) + "\n")
