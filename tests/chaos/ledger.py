"""What the engines say that they computed."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ledger:
    """Computations begun and done; `again` were begun for a unit begun before, `redone` done when it had been done."""

    begun: int
    done: int
    again: int
    redone: int


def read_ledger(workshop: Path) -> Ledger:
    """Add up the lines of all processes; one that its process died upon is left out."""
    begun: Counter[tuple[str, str]] = Counter()
    done: Counter[tuple[str, str]] = Counter()
    for path in (workshop / "ledger").glob("*.jsonl"):
        for line in path.read_text().splitlines():
            entry = json.loads(line)
            place = (entry["job"], entry["unit"])
            begun[place] += entry["what"] == "begun"
            done[place] += entry["what"] == "done"
    return Ledger(
        begun=begun.total(),
        done=done.total(),
        again=sum(count - 1 for count in begun.values() if count > 1),
        redone=sum(count - 1 for count in done.values() if count > 1),
    )
