"""Measures the product and prints figures and ratios: `python -m tests.benchmarks [--quick] [--only NAME ...]`.

Beside speed and memory, what a checkpoint adds to a hop (`hop`), how soon work goes on after a death (`recovery`)
and after a full disk (`full-disk`), what becomes of the same jobs under the same kills in Lectern and in Celery
(`faulted`), what files that are made for harm cost (`hostile`), and how many spans the trace of the bundled lecture has
(`traces`).

Everything runs on a private broker and database in temporary state folders; nothing is left behind but
`build/bench.json` and the lecture that is kept for the next time. Nobody else should use the machine meanwhile.
"""

import argparse
import asyncio
import os
import tempfile
from contextlib import nullcontext
from pathlib import Path

from deploy.local.services import PROJECT
from tests.benchmarks import clone, faulted, full_disk, hop, hostile, overhead, pages, recordings, recovery, traces
from tests.benchmarks.figures import Figure, table, write_json
from tests.benchmarks.lecture import Lecture, lecture, short_lecture
from tests.benchmarks.system import with_system

NAMES = (
    "audio",
    "video",
    "replicas",
    "overhead",
    "hop",
    "recovery",
    "full-disk",
    "faulted",
    "pdf",
    "hostile",
    "traces",
    "clone",
)
PARTS = {
    "overhead": overhead,
    "hop": hop,
    "recovery": recovery,
    "full-disk": full_disk,
    "faulted": faulted,
    "traces": traces,
}
SHARED = {"audio", "video", "traces", "overhead", "hop"}  # by a quick look
DURATION_S, SLIDES = 600, 20
QUICK_DURATION_S = 10
CLONE_COMMAND = "python -m tests.benchmarks --only clone"


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a look at seconds of everything; its figures mean nothing"
    )
    parser.add_argument("--only", nargs="+", choices=NAMES, metavar="NAME", help=f"some of: {', '.join(NAMES)}")
    parser.add_argument("--clone", action="store_true", help="also from git clone to the first handout: takes minutes")
    parser.add_argument("--all-hostile", action="store_true", help="every hostile case, not the worst three alone")
    parser.add_argument("--output", type=Path, help="where the JSON goes (build/bench.json; --quick: bench-quick.json)")
    return parser.parse_args()


def share_systems(names: set[str], recording: Lecture | None) -> list[Figure]:
    """A quick look at those of SHARED that are in `names`, in as few systems as there can be."""
    figures: list[Figure] = []
    with traces.measurement(quick=True) if "traces" in names else nullcontext(None) as traced:
        if recording is not None and names & {"audio", "video"}:
            with_video = "video" in names
            figures += asyncio.run(recordings.audio_and_video(recording, with_video=with_video, also=traced))
        elif traced is not None:
            figures += asyncio.run(with_system(traced.work, environment=traced.environment))
    hops = hop.measurement(quick=True) if "hop" in names else None
    if "overhead" in names:
        figures += asyncio.run(overhead.measure(quick=True, also=hops))
    elif hops is not None:
        figures += asyncio.run(with_system(hops.work, services=hops.services))
    return figures


def measure(names: set[str], *, quick: bool, recording: Lecture | None, all_hostile: bool = False) -> list[Figure]:
    """Everything in `names`, one after the other."""
    figures: list[Figure] = []
    if quick:
        figures += share_systems(names, recording)
        names = names - SHARED
    if recording is not None and names & {"audio", "video"}:
        figures += asyncio.run(recordings.audio_and_video(recording, with_video="video" in names))
    if recording is not None and "replicas" in names:
        figures += asyncio.run(recordings.two_replicas(recording))
    for name, part in PARTS.items():
        if name in names:
            figures += asyncio.run(part.measure(quick=quick))
    if "pdf" in names:
        figures += pages.measure(quick=quick)
    if "hostile" in names:
        figures += hostile.measure(quick=quick, whole=all_hostile)
    if "clone" in names:
        figures += clone.measure()
    return figures


def main() -> None:
    """Measure, print, write."""
    asked = arguments()
    names = set(asked.only or NAMES[:-1]) | ({"clone"} if asked.clone else set())
    default = PROJECT / "build" / ("bench-quick.json" if asked.quick else "bench.json")
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="lectern-bench-") as folder:
        recording = None
        if names & {"audio", "video", "replicas"}:
            short = asked.quick
            recording = short_lecture(QUICK_DURATION_S, Path(folder)) if short else lecture(DURATION_S, SLIDES)
        figures = measure(names, quick=asked.quick, recording=recording, all_hostile=asked.all_hostile)
    print(table(figures))
    if "clone" not in names:
        print(f"{'clone_to_first_handout_s':<32}  skipped: takes minutes; run `{CLONE_COMMAND}`")
    print(f"\n{os.cpu_count()} processors; load of others before the start {load:.1f}")
    if asked.quick:
        print("A quick look: too short to mean anything.")
    write_json(figures, asked.output or default)


if __name__ == "__main__":
    main()
