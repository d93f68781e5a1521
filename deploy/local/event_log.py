"""The supervisor's own log: one JSON object a line, like the services' logs."""

import json
from datetime import UTC, datetime
from pathlib import Path

from deploy.local.keeper import Event, Happening
from deploy.local.processes import rotate

TROUBLE = {Happening.WAITING, Happening.HUNG, Happening.DIED, Happening.KILLED, Happening.HOPELESS}


def log_line(event: Event, *, at: datetime) -> str:
    """One event as a line of JSON: `timestamp`, `level`, `event` and the facts that there are."""
    facts = {
        "timestamp": at.isoformat(),
        "level": "warning" if event.happening in TROUBLE else "info",
        "event": event.message,
        "program": event.program,
        "happening": event.happening.value,
        "exit_status": event.exit_status,
        "retry_in_s": event.retry_in_s,
        "log": str(event.log),
    }
    return json.dumps({name: fact for name, fact in facts.items() if fact is not None}) + "\n"


def write_event(path: Path, event: Event) -> None:
    """Append the event to the log at `path`. Events are rare: the file is opened for each."""
    rotate(path)
    with path.open("a") as stream:
        stream.write(log_line(event, at=datetime.now(UTC)))
