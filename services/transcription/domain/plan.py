"""Which units of work a source makes, what they are called, and in which order they are sent to their queues.

Units of one kind go through lanes: of each lane one unit is in its queue or at work, and whoever finishes it sends the
next. So a long lecture does not stand before everybody else's first unit. Where a lane has got to follows from the plan
and from what is finished, and is kept nowhere else.
"""

from collections.abc import Iterable
from typing import Annotated, Protocol

from pydantic import Field

from shared.commands import Command, FindSlides, ReadPages, TranscribeSpeech
from shared.documents import Value
from shared.events import Message, SourceIngested

UnitCommand = TranscribeSpeech | FindSlides | ReadPages
Lane = list[UnitCommand]


class UnitNames(Protocol):
    """A set of names of units."""

    def __contains__(self, unit: str, /) -> bool:
        """Whether `unit` is one of them."""
        ...


class Plan(Value):
    """What is to be joined, and how many lanes each kind of unit has. Made once a job."""

    source: SourceIngested
    lanes: dict[str, Annotated[int, Field(ge=1)]]


def unit_name(command: Command) -> str:
    """The name of a unit, unique in its job: `speech-3`, `slides-1`, `pages-12`."""
    match command:
        case TranscribeSpeech():
            return f"speech-{command.piece.number}"
        case FindSlides():
            return f"slides-{command.range.number}"
        case ReadPages():
            return f"pages-{command.range.number}"
        case _:
            raise TypeError(f"{type(command).__name__} is not a unit of transcription")


def commands(source: SourceIngested, job: Message) -> dict[str, list[UnitCommand]]:
    """The commands for every unit of a source by their kind, slides first: they are few and the longest.

    `job` is the message at hand: a later run of the job has the plan that its first run made.
    """
    base = {**job.job(), "units": source.units()}
    kinds: dict[str, list[UnitCommand]] = {
        "slides": [FindSlides(video=source.source, range=span, **base) for span in source.slides],
        "speech": [TranscribeSpeech(piece=piece, **base) for piece in source.speech],
        "pages": [ReadPages(document=source.source, range=pages, **base) for pages in source.pages],
    }
    return {kind: units for kind, units in kinds.items() if units}


def unit_names(source: SourceIngested) -> list[str]:
    """The names of all units of a source."""
    return [unit_name(unit) for units in commands(source, source).values() for unit in units]


def first_units(plan: Plan, job: Message, finished: UnitNames) -> list[UnitCommand]:
    """The first unfinished unit of each lane."""
    firsts = (_first(lane, finished) for lane in _lanes(plan, job))
    return [first for first in firsts if first is not None]


def next_unit(plan: Plan, command: UnitCommand, finished: UnitNames) -> UnitCommand | None:
    """The next unfinished unit of the lane of `command`; None at its end."""
    name = unit_name(command)
    for lane in _lanes(plan, command):
        names = [unit_name(unit) for unit in lane]
        if name in names:
            return _first(lane[names.index(name) + 1 :], finished)
    return None


def _lanes(plan: Plan, job: Message) -> list[Lane]:
    """Every lane of every kind: the first of n has the units 1, n + 1, 2n + 1 and so on."""
    return [
        units[first :: plan.lanes[kind]]
        for kind, units in commands(plan.source, job).items()
        for first in range(min(plan.lanes[kind], len(units)))
    ]


def _first(units: Iterable[UnitCommand], finished: UnitNames) -> UnitCommand | None:
    return next((unit for unit in units if unit_name(unit) not in finished), None)
