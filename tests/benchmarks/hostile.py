"""What files that are made to exhaust the machine come to: the longest, the most memory, the longest wait of others.

By default the cases that were the worst of the whole set; `make hostile` is about all of them.
"""

import tempfile
from pathlib import Path

from tests.benchmarks.figures import Figure, Goal
from tests.end_to_end.system import running
from tests.hostile.catalogue import CASES
from tests.hostile.run import LIMIT_MB, LIMIT_S, NEIGHBOUR_LIMIT_S, report, run_case

# The longest of one document, the longest of all its pages, and the most memory.
WORST = ("endless_pages", "text_pages", "nested_forms")
QUICK = ("two_layer_flate",)


def measure(*, quick: bool = False, whole: bool = False) -> list[Figure]:
    """Submit the cases to a system of their own, one after the other, each with a small file right behind it."""
    names = QUICK if quick else tuple(CASES) if whole else WORST
    with tempfile.TemporaryDirectory(prefix="lectern-hostile-") as temporary:
        folder = Path(temporary)
        with running(folder / "home") as lectern:
            outcomes = [run_case(lectern, name, folder) for name in names]
    if unclear := [outcome.case for outcome in outcomes if not outcome.is_clear]:
        raise RuntimeError(f"no clear end of: {', '.join(unclear)}")
    found = report(outcomes)
    longest = max(outcomes, key=lambda outcome: outcome.seconds)
    largest = max(outcomes, key=lambda outcome: outcome.mb)
    waited = max(outcomes, key=lambda outcome: outcome.neighbour_s)
    return [
        Figure("hostile_worst_s", found["worst_s"], Goal(LIMIT_S), f"{longest.case}, of {len(outcomes)} cases"),
        Figure("hostile_worst_mb", found["worst_mb"], Goal(LIMIT_MB), f"{largest.service} with {largest.case}"),
        Figure("hostile_small_file_s", found["worst_neighbour_s"], Goal(NEIGHBOUR_LIMIT_S), f"behind {waited.case}"),
    ]
