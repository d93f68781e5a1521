"""How long each part of a system on this machine is waited for at its end, before it is killed."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.settings import SharedSettings

VARIABLE = "LECTERN_SHUTDOWN_S"
# Beyond the time for what is in hand: engines are ended, connections closed, scratch folders removed.
WORKERS_CLOSING_S = 2.0
FRONT_CLOSING_S = 1.5
STORES_S = 4.0


@dataclass(frozen=True)
class StopLimits:
    """Seconds for the workers, then for the page, then for the servers that both stood on."""

    workers_s: float
    front_s: float
    stores_s: float


def stop_limits(environment: Mapping[str, str]) -> StopLimits:
    """The limits for services with this environment. With the default setting they are under 15 s together."""
    shutdown_s = _shutdown_s(environment.get(VARIABLE, ""))
    # The gateway waits half of it for requests under way (`shared.http_server`).
    return StopLimits(shutdown_s + WORKERS_CLOSING_S, shutdown_s / 2 + FRONT_CLOSING_S, STORES_S)


def _shutdown_s(given: str) -> float:
    """The services' setting. They refuse one that makes no sense themselves, and say so."""
    try:
        return float(given)
    except ValueError:
        return float(SharedSettings.model_fields["shutdown_s"].default)
