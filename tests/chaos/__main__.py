"""`python -m tests.chaos --seed N --jobs 500 --faults 200`: break everything, and see whether anything is lost.

`--seeds A-B` runs one seed after the other and stops at the first with findings. Figures go to build/chaos.json; the
logs of a run with findings are kept.
"""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from pathlib import Path

from tests.chaos.plan import make_plan
from tests.chaos.report import Report
from tests.chaos.run import run
from tests.chaos.stack import remove

FIGURES = Path("build/chaos.json")


def main() -> int:
    """Run the seeds; 0 when nothing was found."""
    arguments = _arguments()
    reports = []
    for seed in _seeds(arguments.seed, arguments.seeds):
        report = one(seed, arguments.jobs, arguments.faults)
        reports.append(report)
        print("\n".join(report.lines()), flush=True)
        if report.findings:
            break
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps([report.values() for report in reports], indent=1) + "\n")
    return 1 if any(report.findings for report in reports) else 0


def one(seed: int, jobs: int, faults: int) -> Report:
    """One run in a folder of its own, which stays when something was found."""
    folder = Path(tempfile.mkdtemp(prefix=f"lectern-chaos-{seed}-"))
    print(f"seed {seed}; logs in {folder}", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    plan = make_plan(seed, jobs=jobs, faults=faults)
    report = asyncio.run(run(plan, folder, lambda text: print(text, flush=True)))
    if not report.findings:
        remove(folder)
    return report


def _seeds(seed: int, seeds: str | None) -> range:
    if seeds is None:
        return range(seed, seed + 1)
    first, _, last = seeds.partition("-")
    return range(int(first), int(last or first) + 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", help="first-last, instead of --seed")
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--faults", type=int, default=200)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
