"""What a consumer holds, how it ends, and how it waits for what is away, on a real broker (PIP-4, ANA-13)."""

import asyncio
import json

from deploy.local.rabbitmq import RabbitNode
from shared.circuit import Circuits
from shared.errors import DatabaseError, EngineError
from shared.events import JobSubmitted
from shared.messaging.publish import Publisher
from shared.messaging.topology import SUBMISSIONS
from shared.settings import SharedSettings
from tests.integration.shared.consuming import EVENT, depth, running, take


async def test_a_consumer_holds_as_many_messages_as_it_was_given(
    settings: SharedSettings, amqp_url: str, rabbitmq: RabbitNode
) -> None:
    """Prefetch is what shares a queue among replicas. FastStream forgets it for a queue that was declared before."""
    held, full, done = 0, asyncio.Event(), asyncio.Event()

    async def handler(_event: JobSubmitted) -> None:
        nonlocal held
        held += 1
        if held == 2:
            full.set()
        await done.wait()

    async with running(settings, handler, prefetch=2) as broker:
        for number in range(6):
            await Publisher(broker, "test")(EVENT, message_id=str(number))
        await asyncio.wait_for(full.wait(), 40)
        listing = ("list_consumers", "queue_name", "prefetch_count", "--formatter", "json")
        consumers = await asyncio.to_thread(rabbitmq.control, *listing)
        waiting = await depth(amqp_url, SUBMISSIONS.name)
        assert (held, waiting) == (2, 4)
        done.set()
    found = {one["queue_name"]: one["prefetch_count"] for one in json.loads(consumers)}
    assert found[SUBMISSIONS.name] == 2


async def test_a_drain_finishes_what_runs_and_hands_back_the_rest(settings: SharedSettings, amqp_url: str) -> None:
    begun, finished = asyncio.Event(), 0

    async def handler(_event: JobSubmitted) -> None:
        nonlocal finished
        begun.set()
        await asyncio.sleep(0.5)
        finished += 1

    async with running(settings, handler) as broker:
        publisher = Publisher(broker, "test")
        for number in range(5):
            await publisher(EVENT, message_id=str(number))
        await begun.wait()
    assert finished >= 1
    left = [await take(amqp_url, SUBMISSIONS.name) for _ in range(5 - finished)]
    assert not any(message.headers.get("x-delivery-count") for message in left)


async def test_a_consumer_that_dies_gives_its_message_to_the_next(settings: SharedSettings) -> None:
    begun, done = asyncio.Event(), asyncio.Event()

    async def hang(_event: JobSubmitted) -> None:
        begun.set()
        await asyncio.sleep(60)

    async def finish(_event: JobSubmitted) -> None:
        done.set()

    brief = settings.model_copy(update={"shutdown_s": 0.2})
    async with running(brief, hang) as broker:
        await Publisher(broker, "test")(EVENT, message_id="1")
        await begun.wait()
    async with running(settings, finish):
        await asyncio.wait_for(done.wait(), 40)


async def test_an_outage_is_waited_for_without_using_up_attempts(settings: SharedSettings, amqp_url: str) -> None:
    """More failures than there are attempts, one of them while the dependency answers, and then one of its own."""
    away, handled, failures = True, asyncio.Event(), 0
    probed = asyncio.Event()

    async def probe() -> None:
        probed.set()
        if away:
            raise DatabaseError("no answer")

    async def handler(_event: JobSubmitted) -> None:
        nonlocal failures
        if away or failures < 5:
            failures += 1
            raise DatabaseError("broken line")
        if failures == 5:
            failures += 1
            raise EngineError("a first failure of its own")
        handled.set()

    circuits = Circuits({"database": probe})
    async with running(settings, handler, circuits=circuits) as broker:
        await Publisher(broker, "test")(EVENT, message_id="1")
        await asyncio.wait_for(probed.wait(), 40)
        away = False
        await asyncio.wait_for(handled.wait(), 40)
    await circuits.stop()
    assert failures == 6 > len(settings.retry_delays_s) + 1
    assert await depth(amqp_url, SUBMISSIONS.dead_letters) == 0


async def test_while_a_dependency_is_away_no_handler_is_called(settings: SharedSettings) -> None:
    away, calls, handled = True, 0, asyncio.Event()

    async def probe() -> None:
        if away:
            raise DatabaseError("no answer")

    async def handler(_event: JobSubmitted) -> None:
        nonlocal calls
        calls += 1
        if away:
            raise DatabaseError("no answer")
        if calls == 11:
            handled.set()

    circuits = Circuits({"database": probe})
    async with running(settings, handler, circuits=circuits) as broker:
        publisher = Publisher(broker, "test")
        for number in range(10):
            await publisher(EVENT, message_id=str(number))
        await asyncio.sleep(1)  # the first message comes back from its tier several times meanwhile, if it may
        assert calls == 1
        away = False
        await asyncio.wait_for(handled.wait(), 40)
    await circuits.stop()
