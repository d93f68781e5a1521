"""`python -m tests.chaos --seed N --jobs 500 --faults 200`: break everything, and see whether anything is lost.

`--seeds A-B` runs one seed after the other and stops at the first with findings. Figures go to build/chaos.json; the
logs of a run with findings are kept.
"""

import argparse
import asyncio
import json
import logging
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
        report = one(seed, arguments.jobs, arguments.faults, parent=arguments.folder, keep=arguments.keep)
        reports.append(report)
        say("\n".join(report.lines()))
        if report.findings:
            break
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps([report.values() for report in reports], indent=1) + "\n")
    return 1 if any(report.findings for report in reports) else 0


def one(seed: int, jobs: int, faults: int, *, parent: Path | None, keep: bool) -> Report:
    """One run in a folder of its own, which stays when something was found."""
    if parent is not None:
        parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"lectern-chaos-{seed}-", dir=parent))
    say(f"seed {seed}; logs in {folder}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logging.getLogger("aio_pika").setLevel(logging.CRITICAL)  # that the broker is away is the point
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)
    plan = make_plan(seed, jobs=jobs, faults=faults)
    report = asyncio.run(run(plan, folder, say))
    if not report.findings and not keep:
        remove(folder)
    return report


def say(text: str) -> None:
    """A line on standard output, now."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


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
    parser.add_argument("--folder", type=Path, help="where runs have their folders; the system's temporary one")
    parser.add_argument("--keep", action="store_true", help="keep the logs also when nothing was found")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
