"""The whole system on one machine: broker, database and services as supervised children of this process."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deploy.local import guard
from deploy.local.database import EmbeddedDatabase
from deploy.local.errors import LocalSystemError, StopRequestedError
from deploy.local.event_log import write_event
from deploy.local.home import Home, HomeLock, ProcessState, SystemState
from deploy.local.keeper import READY_LIMIT_S, Event, Happening, Keeper
from deploy.local.processes import Child, free_ports, guardian, is_free, terminate_all
from deploy.local.programs import Program
from deploy.local.rabbitmq import RabbitNode
from deploy.local.services import SERVICES, Service, ServiceProgram
from deploy.local.stop_limits import stop_limits

UNFINISHED = "; what it had not finished is done at the next start"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Options:
    """What may differ from one system to another.

    `amqp_url` and `mongo_url` name servers that run elsewhere; without them private ones are started. `gateway_port` is
    the page's port, by default the one of last time. `on_event` is called with everything that happens.
    """

    services: tuple[ServiceProgram, ...] = SERVICES
    amqp_url: str | None = field(default_factory=lambda: os.environ.get("LECTERN_AMQP_URL") or None)
    mongo_url: str | None = field(default_factory=lambda: os.environ.get("LECTERN_MONGO_URL") or None)
    gateway_port: int | None = field(default_factory=lambda: int(os.environ.get("GATEWAY_PORT") or 0) or None)
    environment: Mapping[str, str] = field(default_factory=dict)
    on_event: Callable[[Event], None] | None = None
    ready_limit_s: float = READY_LIMIT_S


class Supervisor:
    """A running system, from `async with` to its end. SIGINT, SIGTERM and SIGHUP ask it to stop.

    Entering returns when every service is ready and raises LocalSystemError when that cannot be; `wait` returns when
    somebody asked for the end.
    """

    def __init__(self, home: Path, options: Options | None = None) -> None:
        self.home = Home(home.resolve())
        self.options = options or Options()
        self.amqp_url = ""
        self.mongo_url = ""
        self.gateway_url: str | None = None
        self._lock = HomeLock(self.home)
        self._stop = asyncio.Event()
        self._database: EmbeddedDatabase | None = None
        self._keepers: list[Keeper] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self.home.prepare()
        self._lock.acquire()
        self._listen_to_signals()
        try:
            self._end_leftovers()
            await self._unless_stopped(self._start())
        except BaseException:
            await self._shut_down()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._shut_down()

    def request_stop(self) -> None:
        """Ask the system to end; asked a second time, it ends everything at once."""
        if self._stop.is_set():
            for child in self._children(self._keepers):
                child.kill()
        self._stop.set()

    async def wait(self) -> None:
        """Return when the end was asked for. Raises what broke the supervision itself, should that happen."""
        with contextlib.suppress(StopRequestedError):
            await self._unless_stopped(self._until_stopped())

    async def _start(self) -> None:
        stores = self._stores()
        self._keep([store for store in stores if store is not self._database])
        if self._database is not None:
            await self._database.prepare()
            self._keep([self._database])
            self._tasks.append(asyncio.create_task(self._database.keep_flushed()))
        services = self._services()
        self._keep(services)
        await self._all_ready()

    def _stores(self) -> list[Program]:
        """The servers that nobody named, and the URLs of all."""
        stores: list[Program] = []
        self.amqp_url = self.options.amqp_url or ""
        if not self.amqp_url:
            broker = RabbitNode(self.home.folder / "rabbitmq", log=self.home.log("rabbitmq", ".log"))
            self.amqp_url = broker.url
            stores.append(broker)
        self.mongo_url = self.options.mongo_url or ""
        if not self.mongo_url:
            self._database = EmbeddedDatabase(
                self.home.folder / "database",
                databases=[self._database_of(program) for program in self.options.services],
                log=self.home.log("database", ".log"),
            )
            self.mongo_url = self._database.url
            stores.append(self._database)
        return stores

    def _services(self) -> list[Service]:
        environment = {
            "LECTERN_HOME": str(self.home.folder),
            "LECTERN_AMQP_URL": self.amqp_url,
            **self.options.environment,
        }
        programs = self.options.services
        services = []
        for program, port in zip(programs, free_ports(len(programs)), strict=True):
            chosen = self._front_port(port) if program.front else port
            own = {"LECTERN_MONGO_URL": self._mongo_url_of(program), **environment}
            service = Service(program, log=self.home.log(program.name), port=chosen, environment=own)
            services.append(service)
            if program.front:
                self.gateway_url = service.url
        for service in services:
            service.peers = [other for other in services if other is not service]
        return services

    def _database_of(self, program: ServiceProgram) -> str:
        """The name of its database, as `shared.database` has it."""
        prefix = self.options.environment.get("LECTERN_MONGO_PREFIX") or os.environ.get("LECTERN_MONGO_PREFIX")
        return f"{prefix or 'lectern'}_{program.name}"

    def _mongo_url_of(self, program: ServiceProgram) -> str:
        """A login of its own on the private database; the one that was given on another."""
        return self.mongo_url if self._database is None else self._database.url_for(self._database_of(program))

    def _front_port(self, free: int) -> int:
        """The port asked for, or last time's if it is free, so that bookmarks hold, or `free`."""
        asked = self.options.gateway_port
        if asked is not None:
            if not is_free(asked):
                raise LocalSystemError(f"Port {asked} is taken by another program: name another one in GATEWAY_PORT.")
            return asked
        return self.home.preferred_port(free)

    def _keep(self, programs: Sequence[Program]) -> None:
        for program in programs:
            keeper = Keeper(program, self._happened, ready_limit_s=self.options.ready_limit_s)
            self._keepers.append(keeper)
            self._tasks.append(asyncio.create_task(keeper.run(), name=f"keep {program.name}"))

    async def _all_ready(self) -> None:
        """Return when all are ready; raises LocalSystemError about the first whose start is hopeless."""
        waiting = {asyncio.create_task(keeper.ready.wait()) for keeper in self._keepers}
        hopeless = {asyncio.create_task(keeper.hopeless.wait()): keeper for keeper in self._keepers}
        try:
            while waiting:
                done, _ = await asyncio.wait({*waiting, *hopeless}, return_when=asyncio.FIRST_COMPLETED)
                for keeper in [keeper for task, keeper in hopeless.items() if task in done]:
                    raise LocalSystemError(keeper.program.failure(), log=keeper.program.log)
                waiting -= done
        finally:
            for task in (*waiting, *hopeless):
                task.cancel()

    async def _until_stopped(self) -> None:
        await self._stop.wait()
        raise StopRequestedError

    async def _unless_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the work; raises StopRequestedError as soon as the end is asked for, or what broke a keeper."""
        working = asyncio.create_task(work)
        stopping = asyncio.create_task(self._stop.wait())
        try:
            while not working.done() and not stopping.done():
                await asyncio.wait({working, stopping, *self._tasks}, timeout=1, return_when=asyncio.FIRST_COMPLETED)
                for task in self._tasks:
                    if task.done():
                        task.result()
            if not working.done():
                raise StopRequestedError
            working.result()
        finally:
            stopping.cancel()
            working.cancel()
            await asyncio.wait({working, stopping})

    async def _shut_down(self) -> None:
        self._stop.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        workers = [keeper for keeper in self._keepers if isinstance(keeper.program, Service)]
        front = [keeper for keeper in workers if isinstance(keeper.program, Service) and keeper.program.front]
        stores = [keeper for keeper in self._keepers if keeper not in workers]
        limits = stop_limits({**os.environ, **self.options.environment})
        # Workers hand back or finish what they hold, then the pages go, then what both stood on.
        await self._end([keeper for keeper in workers if keeper not in front], limits.workers_s, UNFINISHED)
        await self._end(front, limits.front_s)
        await self._end(stores, limits.stores_s)
        self.home.forget_state()
        self._ignore_signals()
        self._lock.release()

    async def _end(self, keepers: list[Keeper], timeout_s: float, consequence: str = "") -> None:
        killed = await terminate_all(self._children(keepers), timeout_s=timeout_s)
        for name in killed:
            message = f"{name} did not end within {timeout_s:g} s and was killed{consequence}."
            self._happened(Event(name, Happening.KILLED, message, self.home.log(name)))

    def _children(self, keepers: list[Keeper]) -> list[Child]:
        return [keeper.child for keeper in keepers if keeper.child is not None]

    def _happened(self, event: Event) -> None:
        with contextlib.suppress(OSError):  # a full disk ends no supervision
            write_event(self.home.log("supervisor"), event)
            if event.happening is Happening.STARTED:
                self._publish_state()
        if self.options.on_event is not None:
            self.options.on_event(event)

    def _publish_state(self) -> None:
        processes = {
            keeper.program.name: ProcessState(
                pid=keeper.child.pid, port=keeper.program.port, log=str(keeper.program.log), starts=keeper.starts
            )
            for keeper in self._keepers
            if keeper.child is not None
        }
        state = SystemState(
            launcher_pid=os.getpid(),
            mark=guardian().mark,
            gateway_url=self.gateway_url,
            amqp_url=self.amqp_url,
            mongo_url=self.mongo_url,
            processes=processes,
        )
        self.home.write_state(state)

    def _end_leftovers(self) -> None:
        """End what is left of a launcher that was killed, in case its guard was killed as well."""
        left = self.home.read_state()
        if left is not None:
            guard.kill_marked(left.mark)
            self.home.forget_state()

    def _listen_to_signals(self) -> None:
        for number in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self.request_stop)

    def _ignore_signals(self) -> None:
        for number in SIGNALS:
            asyncio.get_running_loop().remove_signal_handler(number)
