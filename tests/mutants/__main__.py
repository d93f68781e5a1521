"""`python -m tests.mutants [NAME ...]`: every mutant, or those named, against the tests that have to notice it.

Status 1 when one survives or cannot be judged. Figures go to build/mutants.json.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import Mutant
from tests.mutants.run import Result, copied_tree, judge, passes_unchanged

FIGURES = Path("build/mutants.json")


def main() -> int:
    """Judge the mutants; 0 when all were killed."""
    chosen = _chosen()
    with copied_tree() as root:
        if not passes_unchanged(chosen, root):
            _say("The tests that should notice fail, or cannot run, without any mutant: mend that first.")
            return 1
        results = []
        for mutant in chosen:
            results.append(judge(mutant, root))
            _say(_line(mutant, results[-1]))
    survivors = [result.mutant for result in results if result.outcome != "killed"]
    _write(results, survivors)
    _say(f"{len(results)} mutants, {len(survivors)} survivors")
    return 1 if survivors else 0


def _chosen() -> Sequence[Mutant]:
    known = {mutant.name: mutant for mutant in MUTANTS}
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *known], metavar="NAME", help="; ".join(known))
    names = parser.parse_args().names
    return [known[name] for name in names] or MUTANTS


def _line(mutant: Mutant, result: Result) -> str:
    told = f"{result.outcome:<10} {result.seconds:6.1f} s  {mutant.name}"
    return told if result.outcome == "killed" else f"{told}: {mutant.harm}. {result.detail}"


def _write(results: Sequence[Result], survivors: Sequence[str]) -> None:
    FIGURES.parent.mkdir(exist_ok=True)
    figures = {"mutants": len(results), "survivors": len(survivors), "results": [asdict(result) for result in results]}
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
