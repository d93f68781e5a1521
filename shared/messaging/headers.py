"""Headers that Lectern adds to messages, and how they are read: others may have written them."""

import json
from collections.abc import Mapping
from typing import Any

ATTEMPT = "x-lectern-attempt"
WAITS = "x-lectern-waits"
WAITING_SINCE = "x-lectern-waiting-since"
REPLAYS = "x-lectern-replays"
HISTORY = "x-lectern-history"
REASON = "x-lectern-reason"
CODE = "x-lectern-code"
PUBLIC_MESSAGE = "x-lectern-public-message"
QUEUE = "x-lectern-queue"

# Headers that RabbitMQ acts on. A message that is published again with its death headers, 3.10's cycle detection drops
# silently.
BROKER_HEADERS = frozenset(
    {
        "x-death",
        "x-delivery-count",
        "x-acquired-count",
        "CC",  # further addressees: a copy that is published again would reach them again
        "BCC",
        *(f"x-{which}-death-{what}" for which in ("first", "last") for what in ("exchange", "queue", "reason")),
    }
)

Headers = Mapping[str, Any]


def number(headers: Headers, name: str) -> int:
    """The whole number in a header; 0 where there is none."""
    try:
        return max(0, int(headers.get(name, 0)))
    except (TypeError, ValueError, OverflowError):
        return 0


def history(headers: Headers) -> list[dict[str, Any]]:
    """What was tried: `at`, `queue`, `attempt`, `error`, `text` of each failure, oldest first."""
    try:
        entries = json.loads(str(headers.get(HISTORY, "[]")))
    except (json.JSONDecodeError, RecursionError):
        return []
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def attempts_left(headers: Headers, delays_s: tuple[float, ...]) -> int:
    """How many attempts a message has after the one at hand; 0 at the last."""
    return max(0, len(delays_s) - number(headers, ATTEMPT))
