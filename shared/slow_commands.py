"""Database commands that took long, in the log: what they searched and which index served them (OPS-2).

The driver calls its listeners in its own threads and in the middle of its work. So nothing is written there: what was
slow is handed to the event loop, with the context of whoever asked, which says of which job it was.
"""

import asyncio
import contextvars
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from pymongo.errors import PyMongoError
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from shared.command_shape import index_of, is_by_id, search_of, shape_of

log = structlog.get_logger()

_WATCHED = frozenset({"find", "update", "delete", "insert", "findAndModify", "aggregate"})
# Plans of so many shapes are remembered: a slow query that comes often is explained once.
_REMEMBERED = 100
_EXPLAIN_S = 2.0
Explain = Callable[[str, dict[str, Any]], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True)
class SlowCommand:
    """A command that took `ms` milliseconds. `search` is what `explain` can be asked about."""

    name: str
    database: str
    collection: str
    shape: str
    ms: float
    search: dict[str, Any] | None
    failed: bool


class SlowCommandListener(CommandListener):
    """Gives what took `slow_ms` or longer to `tell`, in the thread of the driver. `tell` must not wait for anything."""

    def __init__(self, slow_ms: float, tell: Callable[[SlowCommand], None]) -> None:
        self._slow_ms = slow_ms
        self._tell = tell
        self._under_way: dict[int, CommandStartedEvent] = {}

    def started(self, event: CommandStartedEvent) -> None:
        """Remember what was asked."""
        if event.command_name in _WATCHED:
            self._under_way[event.request_id] = event

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Tell if that took long."""
        self._ended(event, failed=False)

    def failed(self, event: CommandFailedEvent) -> None:
        """Tell if that took long: a server that hangs is the slowest of all."""
        self._ended(event, failed=True)

    def _ended(self, event: CommandSucceededEvent | CommandFailedEvent, *, failed: bool) -> None:
        asked = self._under_way.pop(event.request_id, None)
        ms = event.duration_micros / 1000
        if asked is None or ms < self._slow_ms:
            return
        name, command = asked.command_name, asked.command
        self._tell(
            SlowCommand(
                name=name,
                database=asked.database_name,
                collection=str(command.get(name)),
                shape=shape_of(name, command),
                ms=round(ms, 1),
                search=search_of(name, command),
                failed=failed,
            )
        )


class SlowCommandLog:
    """Logs slow commands from the event loop that it is made in."""

    def __init__(self, slow_ms: float, explain: Explain) -> None:
        self.listener = SlowCommandListener(slow_ms, self._hand_over)
        self._explain = explain
        self._loop = asyncio.get_running_loop()
        self._indexes: OrderedDict[tuple[str, str], asyncio.Task[str | None]] = OrderedDict()
        self._telling: set[asyncio.Task[None]] = set()

    def _hand_over(self, slow: SlowCommand) -> None:
        whose = contextvars.copy_context()
        with suppress(RuntimeError):  # the loop is closed: the process ends
            self._loop.call_soon_threadsafe(self._begin, slow, whose)

    def _begin(self, slow: SlowCommand, whose: contextvars.Context) -> None:
        task = self._loop.create_task(self._log(slow), context=whose)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _log(self, slow: SlowCommand) -> None:
        index = None if slow.search is None else await self._index(slow, slow.search)
        log.warning(
            "slow database command",
            command=slow.name,
            database=slow.database,
            collection=slow.collection,
            shape=slow.shape,
            ms=slow.ms,
            **({"index": index} if index else {}),
            **({"failed": True} if slow.failed else {}),
        )

    async def _index(self, slow: SlowCommand, search: dict[str, Any]) -> str | None:
        """The index that serves such a command, as far as the database says so."""
        if is_by_id(search):  # the embedded database serves these well, but calls them COLLSCAN when it explains them
            return "_id_"
        key = (slow.collection, slow.shape)
        if key not in self._indexes:
            self._indexes[key] = self._loop.create_task(self._ask(key, slow.database, search))
            if len(self._indexes) > _REMEMBERED:
                self._indexes.popitem(last=False)
        return await self._indexes[key]

    async def _ask(self, key: tuple[str, str], database: str, search: dict[str, Any]) -> str | None:
        try:
            plan = await asyncio.wait_for(self._explain(database, search), _EXPLAIN_S)
        except (PyMongoError, TimeoutError):
            self._indexes.pop(key, None)  # what made the command slow may pass: the next one asks again
            return None
        return index_of(plan.get("queryPlanner"))

    async def close(self) -> None:
        """Say what is still to be said."""
        await asyncio.gather(*self._telling, return_exceptions=True)
