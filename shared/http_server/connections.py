"""The open connections of one process: how many, and which of them makes room for another."""

import asyncio
import ipaddress
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class ConnectionLimits:
    """Bounds of one process. `per_address` does not count for the loopback address, where proxies stand."""

    header_s: float = 30.0
    idle_s: float = 30.0
    stall_s: float = 60.0
    total: int = 1000
    per_address: int = 100


class Connection(Protocol):
    """What has to be known of one, and can be done to it."""

    @property
    def network(self) -> str:
        """Where it comes from, as `network_of` says."""

    @property
    def known(self) -> bool:
        """Whether its latest request's caller is known."""

    @property
    def waits(self) -> bool:
        """Whether it may be ended though its caller is known: no request is being worked on."""

    def evict(self) -> None:
        """End it at once."""

    def end_if_overdue(self, now_s: float) -> None:
        """End it if its client has not done its part for too long."""


class Connections:
    """Each network's connections, those that have waited longest first, and the one timer that ends the overdue."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._by_network: dict[str, dict[Connection, None]] = {}
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, connection: Connection) -> bool:
        """Take `connection` in, ending another where there are too many. False: there is none to end."""
        same = self._by_network.get(connection.network, {})
        crowded = len(same) >= self.limits.per_address and not is_loopback(connection.network)
        if crowded and not _end_one([same]):
            return False
        if self._count >= self.limits.total and not self.make_room():
            return False
        self._by_network.setdefault(connection.network, {})[connection] = None
        self._count += 1
        if self._timer is None:
            self._look_later()
        return True

    def waits_anew(self, connection: Connection) -> None:
        """Put a connection whose request was answered behind those that have waited longer."""
        same = self._by_network.get(connection.network, {})
        if connection in same:
            del same[connection]
            same[connection] = None

    def remove(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        same = self._by_network.get(connection.network, {})
        if connection in same:
            del same[connection]
            self._count -= 1
            if not same:
                del self._by_network[connection.network]

    def make_room(self) -> bool:
        """End a connection of the network that has most; whether there was one that may be ended."""
        return _end_one(sorted(self._by_network.values(), key=len, reverse=True))

    def _look_later(self) -> None:
        limits = self.limits
        pause_s = min(1.0, min(limits.header_s, limits.idle_s, limits.stall_s) / 4)
        self._timer = asyncio.get_running_loop().call_later(pause_s, self._look)

    def _look(self) -> None:
        now_s = time.monotonic()
        for connection in [one for same in self._by_network.values() for one in same]:
            connection.end_if_overdue(now_s)
        self._timer = None
        if self._by_network:
            self._look_later()


def network_of(address: str) -> str:
    """Whose `address` counts as: itself, or of IPv6 the 64 bits that one subscriber has to himself."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(parsed) if parsed.is_loopback else str(ipaddress.ip_network((parsed, 64), strict=False))


def is_loopback(network: str) -> bool:
    """Whether a network is this machine itself."""
    try:
        return ipaddress.ip_address(network).is_loopback
    except ValueError:
        return False


def _end_one(groups: Iterable[dict[Connection, None]]) -> bool:
    """End the longest waiting of a stranger, else of a known caller who has no request under way."""
    groups = list(groups)
    strangers = (one for same in groups for one in same if not one.known)
    waiting = (one for same in groups for one in same if one.waits)
    found = next(strangers, None) or next(waiting, None)
    if found is None:
        return False
    found.evict()
    return True
