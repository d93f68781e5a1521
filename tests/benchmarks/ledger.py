"""What was carried out to its end, as lines of a file that several processes append to."""

import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

LEDGER_VARIABLE = "BENCH_LEDGER"


class Entry(NamedTuple):
    """One unit of work that ended: `unit` is unique in its stage of a job."""

    job_id: str
    stage: str
    unit: str


class Ledger:
    """The file at `path`. An entry is one write, so that a killed process leaves all of it or nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def of_environment(cls) -> "Ledger":
        """The one that this process was told of."""
        return cls(Path(os.environ[LEDGER_VARIABLE]))

    def add(self, entry: Entry) -> None:
        """Append one entry."""
        stream = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(stream, f"{' '.join(entry)}\n".encode())
        finally:
            os.close(stream)

    def counts(self) -> Counter[Entry]:
        """How often each entry was made."""
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        return Counter(Entry(*line.split(" ")) for line in lines)
