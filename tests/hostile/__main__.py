"""Submits bombs to a whole local system and measures it: `python -m tests.hostile [NAME ...]`.

Every case must end within 300 s, with no service above 2,500 MB resident (its children included), and with a handout
or a clear sentence and no dead letter; a small file that is submitted right after it is done within 60 s.
Written to build/hostile.json; a case that does not hold makes the exit status 1.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.end_to_end.system import ROOT, running
from tests.hostile.catalogue import CASES
from tests.hostile.run import Outcome, holds, report, run_case


def main() -> int:
    """Run the cases asked for, all of them by default."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(CASES)}")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "hostile.json")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="lectern-hostile-") as temporary:
        folder = Path(temporary)
        with running(folder / "home") as lectern:
            for name in asked.names or CASES:
                outcome = run_case(lectern, name, folder)
                outcomes.append(outcome)
                _print(outcome)
    figures = report(outcomes)
    asked.output.parent.mkdir(exist_ok=True)
    asked.output.write_text(json.dumps(figures, indent=2) + "\n")
    print(
        ", ".join(f"{key} {figures[key]}" for key in ("cases", "worst_mb", "worst_s", "worst_neighbour_s", "not_clear"))
    )
    return 0 if holds(figures) else 1


def _print(outcome: Outcome) -> None:
    mark = "" if outcome.is_clear else "  NOT CLEAR"
    took = f"{outcome.seconds:6} s, small file {outcome.neighbour_s:5} s, {outcome.mb:5} MB {outcome.service}"
    print(f"{outcome.case:18} {outcome.status:8} {took}{mark}")
    for text in outcome.told[:3]:
        print(f"    {text[:200]}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
