"""What the work at hand is about. Every log line and every span that begins meanwhile says it (OPS-2, OPS-3)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from types import MappingProxyType, TracebackType

Value = str | int
NOTHING: Mapping[str, Value] = MappingProxyType({})

_WORK: ContextVar[Mapping[str, Value]] = ContextVar("lectern_work", default=NOTHING)
_UNIT = "lectern_unit"


def current_work() -> Mapping[str, Value]:
    """What is known of it: `job_id`, `owner`, `stage`, `unit`, `attempt`, `run`, `queue`."""
    return _WORK.get()


@contextmanager
def work_on(**known: Value | None) -> Iterator[None]:
    """Work on something else while the context lasts: what was known before says nothing about it."""
    token = _WORK.set({name: value for name, value in known.items() if value is not None})
    try:
        yield
    finally:
        _WORK.reset(token)


def add_to_work(**known: Value | None) -> None:
    """Add what has been learned, until the work at hand ends."""
    _WORK.set({**_WORK.get(), **{name: value for name, value in known.items() if value is not None}})


class unit_at_work:  # noqa: N801 -- a context manager; a class, because only `__exit__` sees every error without catching it
    """Names the unit that is at work while the context lasts. An error that leaves it keeps that name: `unit_of`."""

    def __init__(self, unit: str) -> None:
        self._unit = unit

    def __enter__(self) -> None:
        self._token = _WORK.set({**_WORK.get(), "unit": self._unit})

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        _WORK.reset(self._token)
        if error is not None and unit_of(error) is None:
            with suppress(AttributeError, TypeError):  # an error of a kind that cannot be marked
                setattr(error, _UNIT, self._unit)


def unit_of(error: BaseException) -> str | None:
    """The unit that was at work when `error` was raised; None where there was none."""
    unit = getattr(error, _UNIT, None)
    return unit if isinstance(unit, str) else None
