"""Events are past-tense facts, handlers say what they react to, and no event is without a reader."""

import ast
import re
from pathlib import Path

import pytest

from deploy.local.services import SERVICES
from shared import commands, events
from shared.commands import COMMANDS, Command
from shared.events import EVENTS, STAGES, Event
from shared.messaging import topology
from shared.messaging.topology import BURIALS, EVENTS_EXCHANGE, WORK_QUEUES

PROJECT = Path(__file__).resolve().parents[3]
HANDLER_FILES = [*sorted((PROJECT / "services").glob("*/**/handlers.py")), PROJECT / "shared" / "removal.py"]
PAST = re.compile(r".*(ed)$")
MESSAGES = {kind.__name__: kind for kind in (*EVENTS, *COMMANDS)}


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_is_a_fact_named_noun_and_past_verb(event: type[Event]) -> None:
    noun, verb = snake(event.__name__).split("_")
    assert PAST.match(verb)
    assert re.fullmatch(rf"{noun}\.{verb}\.v[1-9]\d*", event.routing_key)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_imperative_and_has_one_queue_of_an_existing_service(command: type[Command]) -> None:
    assert not PAST.match(snake(command.__name__).split("_")[0])
    assert [queue.name for queue in WORK_QUEUES].count(command.queue) == 1


def test_every_message_class_is_listed() -> None:
    """A class without an address of its own is a base of others, and never travels."""
    defined = {
        kind
        for kind in (*vars(events).values(), *vars(commands).values())
        if isinstance(kind, type)
        and issubclass(kind, Event | Command)
        and (hasattr(kind, "routing_key") or hasattr(kind, "queue"))
    }
    assert defined == {*EVENTS, *COMMANDS}


def test_routing_keys_are_unique() -> None:
    assert len({event.routing_key for event in EVENTS}) == len(EVENTS)


def test_every_event_is_bound_by_a_queue_of_a_worker_or_the_gateway() -> None:
    bound = {key for queue in WORK_QUEUES for key in queue.keys}
    assert bound == {event.routing_key for event in EVENTS}


@pytest.mark.parametrize("queue", [*WORK_QUEUES, BURIALS], ids=lambda queue: queue.name)
def test_a_queue_is_named_after_its_service_and_what_it_holds(queue: topology.WorkQueue) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z]+", queue.name)
    assert queue.service in {service.name for service in SERVICES}


def test_stages_are_the_workers() -> None:
    assert set(STAGES) == {service.name for service in SERVICES if not service.front}


def handlers_of(path: Path) -> list[ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_")]


def test_there_are_handlers_to_judge() -> None:
    assert len(HANDLER_FILES) == 6
    assert sum(len(handlers_of(path)) for path in HANDLER_FILES) >= 8


@pytest.mark.parametrize("path", HANDLER_FILES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_handler_is_named_after_the_message_it_takes(path: Path) -> None:
    """`on_` and the message in its own words; only the gateway has handlers for whatever comes."""
    expected = {f"on_{snake(name)}" for name in MESSAGES}
    for handler in handlers_of(path):
        arguments = [argument for argument in handler.args.args if argument.arg != "self"]
        annotation = ast.unparse(arguments[0].annotation) if arguments and arguments[0].annotation else ""
        if handler.name.startswith("on_") and annotation in MESSAGES:
            assert handler.name == f"on_{snake(annotation)}"
        elif handler.name.startswith("on_"):  # the gateway takes whatever comes
            assert handler.name in {"on_event", "on_burial"} | expected
            assert "gateway" in path.parts


def test_exchanges_and_queues_bear_the_system_s_name() -> None:
    assert EVENTS_EXCHANGE.name == "lectern.events"
    assert topology.DEAD_LETTERS_EXCHANGE.name.startswith("lectern.")
    assert topology.retry_name(120.0) == "lectern.retry.120000ms"
