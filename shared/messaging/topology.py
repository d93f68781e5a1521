"""Every exchange and queue of the system, in one table; each service declares all of it before it starts.

Whoever starts first declares the queues of the others too: an event is never unroutable, and never lost to a
service that has not run yet.
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from aio_pika.abc import AbstractChannel, AbstractQueue
from faststream.rabbit import ExchangeType, QueueType, RabbitBroker, RabbitExchange, RabbitQueue

from shared import commands, events

if TYPE_CHECKING:
    from faststream.rabbit.schemas.queue import QuorumQueueArgs

EVENTS_EXCHANGE = RabbitExchange("lectern.events", type=ExchangeType.TOPIC, durable=True)
DEAD_LETTERS_EXCHANGE = RabbitExchange("lectern.dead-letters", type=ExchangeType.TOPIC, durable=True)

# So many deliveries may end without a word (the consumer was killed, its connection cut); the next makes a dead letter,
# since a message that kills its reader cannot circulate for ever. Those are rare, as engines run in processes of their
# own, while a bad hour ends the deliveries of many innocent ones: they need room.
DELIVERY_LIMIT = 20
# A delay is one of these shares of itself. Queues of their own, since the time to live of a single message does not
# count while it lies behind the head of its queue.
JITTER = (0.8, 0.9, 1.0)
NONE_ADOPTED: Mapping[str, RabbitQueue] = MappingProxyType({})


@dataclass(frozen=True)
class WorkQueue:
    """A queue of one service. `keys` are the routing keys of the events it receives; none for commands."""

    name: str
    keys: tuple[str, ...] = ()

    @property
    def service(self) -> str:
        """The service that owns the queue."""
        return self.name.partition(".")[0]

    @property
    def dead_letters(self) -> str:
        """Name of its dead-letter queue."""
        return f"{self.name}.dlq"


SUBMISSIONS = WorkQueue("ingest.submissions", (events.JobSubmitted.routing_key,))
SOURCES = WorkQueue("transcription.sources", (events.SourceIngested.routing_key,))
SPEECH = WorkQueue(commands.TranscribeSpeech.queue)
SLIDES = WorkQueue(commands.FindSlides.queue)
PAGES = WorkQueue(commands.ReadPages.queue)
DOCUMENTS = WorkQueue("analysis.documents", (events.SourceTranscribed.routing_key,))
GUIDES = WorkQueue("rendering.guides", (events.SourceAnalysed.routing_key,))
PROGRESS = WorkQueue("gateway.progress", tuple(event.routing_key for event in events.EVENTS))
REMOVALS = {stage: WorkQueue(f"{stage}.removals", (events.JobDeleted.routing_key,)) for stage in events.STAGES}
CANCELLATIONS = {
    stage: WorkQueue(f"{stage}.cancellations", (events.JobCancelled.routing_key,)) for stage in events.STAGES
}
WORK_QUEUES = (
    SUBMISSIONS,
    SOURCES,
    SPEECH,
    SLIDES,
    PAGES,
    DOCUMENTS,
    GUIDES,
    PROGRESS,
    *REMOVALS.values(),
    *CANCELLATIONS.values(),
)
_KEYS = {queue.name: queue.keys for queue in WORK_QUEUES if queue.keys}
_OF_COMMANDS = frozenset(command.queue for command in commands.COMMANDS)
_OF_AN_EVENT = re.compile(r"[a-z-]+(\.[a-z-]+)+\.v[0-9]+")


def unknown_event(queue: str, routing_key: str | None, kind: str | None) -> str | None:
    """The name of the event in a message of `queue`, where it is none that this version reads there.

    A newer version, or one that was here before, may have bound the queue to more. `routing_key` is what the message
    was first published with, `kind` its CloudEvents type; one that has no event's name is for others to judge.
    """
    keys = _KEYS.get(queue, ())
    if not keys or routing_key is None or routing_key in keys or kind in keys:
        return None
    return routing_key if _OF_AN_EVENT.fullmatch(routing_key) else None


def other_version(queue: str, kind: str | None) -> str | None:
    """The name of the command in a message of `queue`, where it is one that only another version of Lectern can do.

    `kind` is its CloudEvents type.
    """
    if queue not in _OF_COMMANDS or kind is None or kind == command_kind(queue):
        return None
    name, _, version = kind.rpartition(".v")
    return kind if name == queue and version.isdigit() else None


def command_kind(queue: str) -> str:
    """The CloudEvents type of the commands that this version sends to `queue`."""
    return f"{queue}.v1"


# Each dead letter comes here as well as into its own queue: this is how a job learns that it failed.
BURIALS = WorkQueue("gateway.burials")


# Where readiness publishes to. A quorum queue, as those of the work: a broker whose log of these has stopped answers
# everything else. What is published is gone a second later.
CHECKS = "lectern.health"


def checks_arguments() -> dict[str, Any]:
    """The arguments of the queue CHECKS: it holds one message at most, for a second."""
    return {"x-queue-type": "quorum", "x-max-length": 1, "x-overflow": "drop-head", "x-message-ttl": 1000}


def _quorum(name: str, arguments: dict[str, Any]) -> RabbitQueue:
    # FastStream's own type of these arguments does not know all of RabbitMQ's names.
    return RabbitQueue(name, queue_type=QueueType.QUORUM, durable=True, arguments=cast("QuorumQueueArgs", arguments))


def rabbit_queue(queue: WorkQueue, delivery_limit: int = DELIVERY_LIMIT) -> RabbitQueue:
    """The declaration of a work queue."""
    return _quorum(
        queue.name,
        {
            "x-delivery-limit": delivery_limit,  # explicit: RabbitMQ 3 has none, 4 has 20
            "x-dead-letter-exchange": DEAD_LETTERS_EXCHANGE.name,
            "x-dead-letter-routing-key": queue.name,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",  # what at-least-once dead lettering asks for
        },
    )


def _burial_queue(name: str) -> RabbitQueue:
    # A dead letter is only ever looked at: the limit keeps many looks from dropping it.
    return _quorum(name, {"x-delivery-limit": 100_000, "x-overflow": "reject-publish"})


def burials_queue() -> RabbitQueue:
    """The declaration of the gateway's copy of the dead letters."""
    return _burial_queue(BURIALS.name)


def retry_name(delay_s: float) -> str:
    """Name of the exchange and the queue in which messages wait `delay_s` seconds."""
    return f"lectern.retry.{round(delay_s * 1000)}ms"


def retry_exchange(delay_s: float) -> RabbitExchange:
    """Where to publish, with the work queue as routing key, what shall come back in `delay_s` seconds."""
    return RabbitExchange(retry_name(delay_s), type=ExchangeType.FANOUT, durable=True)


def tiers_s(delay_s: float) -> tuple[float, ...]:
    """The delays that stand for one: what failed together does not come back together. None is longer than it."""
    return tuple(delay_s * share for share in JITTER)


def random_tier_s(delay_s: float) -> float:
    """One of the delays that stand for this one."""
    return random.choice(tiers_s(delay_s))  # noqa: S311 -- it spreads load, and guards no secret


def _retry_queue(delay_s: float) -> RabbitQueue:
    arguments: dict[str, Any] = {
        "x-message-ttl": round(delay_s * 1000),
        # The default exchange and no routing key of its own: a message comes back to the queue that its routing
        # key names. One queue per delay, since a per-message TTL blocks behind the head of the queue.
        "x-dead-letter-exchange": "",
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
    return _quorum(retry_name(delay_s), arguments)


async def _declare(channel: AbstractChannel, queue: RabbitQueue) -> AbstractQueue:
    return await channel.declare_queue(queue.name, durable=queue.durable, arguments=queue.arguments)


async def declare_topology(
    broker: RabbitBroker, retry_delays_s: tuple[float, ...], adopted: Mapping[str, RabbitQueue] = NONE_ADOPTED
) -> None:
    """Declare all of it, and nothing twice differently. Call it once the broker is connected, before it starts.

    `adopted` are declarations of work queues, by name, other than today's. Raises aio-pika's ChannelPreconditionFailed
    if a queue or an exchange exists with other arguments.
    """
    # Not with the broker: it would hand these very declarations, and with them this channel, to every subscriber, whose
    # own channel and prefetch would then mean nothing. The channel stays, to declare all of it again after a reconnect.
    channel = await (await broker.connect()).channel()
    await broker.declare_exchange(EVENTS_EXCHANGE)
    await broker.declare_exchange(DEAD_LETTERS_EXCHANGE)
    await channel.declare_queue(CHECKS, durable=True, arguments=checks_arguments())
    burials = await _declare(channel, burials_queue())
    await burials.bind(DEAD_LETTERS_EXCHANGE.name, "#")
    for tier_s in dict.fromkeys(part_s for delay_s in retry_delays_s for part_s in tiers_s(delay_s)):
        await broker.declare_exchange(retry_exchange(tier_s))
        waiting = await _declare(channel, _retry_queue(tier_s))
        await waiting.bind(retry_name(tier_s), "")
    for queue in WORK_QUEUES:
        buried = await _declare(channel, _burial_queue(queue.dead_letters))
        await buried.bind(DEAD_LETTERS_EXCHANGE.name, queue.name)
        declared = await _declare(channel, adopted.get(queue.name) or rabbit_queue(queue))
        for key in queue.keys:
            await declared.bind(EVENTS_EXCHANGE.name, key)
