"""What is declared on the broker, by its arguments; how the broker behaves is tested on a real one (PIP-4)."""

from typing import Any

import pytest
from faststream.rabbit import ExchangeType, RabbitExchange
from hypothesis import given
from hypothesis import strategies as st

from shared.messaging import topology
from shared.messaging.topology import BURIALS, WORK_QUEUES, declare_topology, rabbit_queue


class Declared:
    """Stands for the broker: remembers what it was asked to declare and bind."""

    def __init__(self) -> None:
        self.exchanges: list[RabbitExchange] = []
        self.queues: dict[str, dict[str, Any]] = {}
        self.bindings: set[tuple[str, str, str]] = set()

    async def declare_exchange(self, exchange: RabbitExchange) -> None:
        self.exchanges.append(exchange)

    async def connect(self) -> "Declared":
        return self

    async def channel(self) -> "Declared":
        return self

    async def declare_queue(self, name: str, *, durable: bool, arguments: dict[str, Any]) -> "Binder":
        assert durable
        assert name not in self.queues
        self.queues[name] = arguments
        return Binder(self, name)


class Binder:
    def __init__(self, declared: Declared, queue: str) -> None:
        self._declared, self._queue = declared, queue

    async def bind(self, exchange: str, key: str) -> None:
        self._declared.bindings.add((exchange, key, self._queue))


@pytest.fixture
async def declared() -> Declared:
    broker: Any = Declared()
    await declare_topology(broker, (5.0, 0.5))
    return broker


@pytest.mark.parametrize("queue", WORK_QUEUES, ids=lambda queue: queue.name)
def test_a_work_queue_loses_nothing(queue: topology.WorkQueue) -> None:
    declared = rabbit_queue(queue)
    assert declared.durable
    arguments: Any = declared.arguments
    assert arguments["x-queue-type"] == "quorum"
    assert arguments["x-delivery-limit"] == topology.DELIVERY_LIMIT
    assert arguments["x-dead-letter-routing-key"] == queue.name
    assert arguments["x-dead-letter-strategy"] == "at-least-once"
    assert arguments["x-overflow"] == "reject-publish"
    # RabbitMQ 4 refuses these.
    assert not {"x-max-priority", "x-queue-mode"} & set(arguments)


async def test_every_work_queue_has_its_dead_letters_and_the_gateway_gets_a_copy(declared: Declared) -> None:
    for queue in WORK_QUEUES:
        assert (topology.DEAD_LETTERS_EXCHANGE.name, queue.name, queue.dead_letters) in declared.bindings
    assert (topology.DEAD_LETTERS_EXCHANGE.name, "#", BURIALS.name) in declared.bindings
    graves: Any = [declared.queues[queue.dead_letters] for queue in WORK_QUEUES]
    assert all("x-dead-letter-exchange" not in arguments for arguments in graves)


async def test_a_delay_tier_hands_back_to_the_queue_that_the_routing_key_names(declared: Declared) -> None:
    for ttl in (5000, 4500, 4000, 500, 450, 400):
        name = f"lectern.retry.{ttl}ms"
        arguments: Any = declared.queues[name]
        assert arguments["x-message-ttl"] == ttl
        assert arguments["x-dead-letter-exchange"] == ""
        assert "x-dead-letter-routing-key" not in arguments
        assert (name, "", name) in declared.bindings
    tiers = [exchange for exchange in declared.exchanges if "retry" in exchange.name]
    assert {exchange.type for exchange in tiers} == {ExchangeType.FANOUT}


async def test_events_are_bound_to_the_queues_that_the_table_names(declared: Declared) -> None:
    bound = {(key, queue) for exchange, key, queue in declared.bindings if exchange == "lectern.events"}
    assert bound == {(key, queue.name) for queue in WORK_QUEUES for key in queue.keys}


@given(st.floats(0.1, 600))
def test_a_delay_is_spread_but_never_longer(delay_s: float) -> None:
    drawn = {topology.random_tier_s(delay_s) for _ in range(200)}
    assert drawn == set(topology.tiers_s(delay_s))
    assert max(drawn) == delay_s
    assert min(drawn) >= 0.8 * delay_s
