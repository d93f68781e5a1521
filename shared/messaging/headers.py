"""Headers that Lectern adds to messages, and how they are read: others may have written them."""

import json
from collections.abc import Iterator, Mapping
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
OWNER = "x-lectern-owner"
# What a message was first published with. On its way back from a delay tier or a replay the broker's own routing key is
# the name of its queue.
ROUTING_KEY = "x-lectern-routing-key"

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


def routing_key_of(headers: Headers, delivered_with: str | None, queue: str) -> str | None:
    """The routing key that a message in `queue` was first published with; None where nothing says so.

    A message that other systems publish may have no other sign of what it is. `delivered_with` is the key of this
    delivery. Where the broker itself made it a dead letter, the key stands in the broker's own record of that.
    """
    if delivered_with and delivered_with != queue:
        return delivered_with
    kept = headers.get(ROUTING_KEY)
    if isinstance(kept, str) and kept:
        return kept
    return next((key for key in _keys_of_deaths(headers) if key != queue), None)


def _keys_of_deaths(headers: Headers) -> Iterator[str]:
    deaths = headers.get("x-death")
    for death in deaths if isinstance(deaths, list) else ():
        keys = death.get("routing-keys") if isinstance(death, Mapping) else None
        for key in keys if isinstance(keys, list) else ():
            if isinstance(key, str) and key:
                yield key


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
