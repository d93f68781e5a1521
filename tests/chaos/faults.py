"""Doing to the system what the plan says."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from tests.chaos.cases import Case
from tests.chaos.disks import full
from tests.chaos.disturbances import BROKER, COPIES, DATABASE, PROCESS, STORAGE
from tests.chaos.hostile import Hostile, hostile
from tests.chaos.plan import Fault
from tests.chaos.servers import Server
from tests.chaos.stack import Stack
from tests.chaos.storage_faults import FULL, REFUSE
from tests.chaos.tap import Tap

COPIES_AT_ONCE = 12
HOSTILES_AT_ONCE = 4
# Most faults hit what works: what has just been killed only shows again how it starts. On a slow machine the run is
# longer for it, and not just one long outage.
BREATH_S = 6.0
SERVERS_BREATH_S = 40.0
# What a server's end shall meet is a system at work, not one that has only just come back.
LEAST_WORK_S, MOST_WORK_S = 1.0, 5.0
WITHOUT_A_BREATH = 0.2


@dataclass
class Injector:
    """Carries faults out. `done` counts them by kind, `hostiles` are the messages that the broker confirmed."""

    stack: Stack
    tap: Tap
    cases: list[Case]
    say: Callable[[str], None]
    longest_s: float
    done: Counter[str] = field(default_factory=Counter)
    hostiles: list[Hostile] = field(default_factory=list)
    unconfirmed: set[str] = field(default_factory=set)
    _numbers: int = 0
    _servers_turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def inject(self, fault: Fault) -> None:
        """Carry out one fault, to its end."""
        rng = random.Random(fault.seed)
        what = await self._actions()[fault.kind](rng)
        self.done[fault.kind] += 1
        self.say(f"{fault.kind}: {what}")

    def _actions(self) -> dict[str, Callable[[random.Random], Awaitable[str]]]:
        return {
            "kill worker": self._kill_worker,
            "stop worker": self._stop_worker,
            "kill gateway": self._kill_gateway,
            "stop gateway": self._stop_gateway,
            "restart broker": self._restart_broker,
            "kill broker": self._kill_broker,
            "kill database": self._kill_database,
            "stop database": self._stop_database,
            "cut": self._cut,
            "slow": self._slow,
            "refuse": self._refuse,
            "stall": self._stall,
            "storage": self._storage,
            "repeat events": self._repeat_events,
            "repeat commands": self._repeat_commands,
            "hostile": self._hostile,
            "fill disk": self._fill_disk,
            "fill every disk": self._fill_every_disk,
        }

    def _labels(self, *, gateway: bool) -> list[str]:
        return [unit.label for unit in self.stack.nursery.units if (unit.service == "gateway") == gateway]

    async def _kill_worker(self, rng: random.Random) -> str:
        return await self._kill_when_up(rng, rng.choice(self._labels(gateway=False)))

    async def _kill_gateway(self, rng: random.Random) -> str:
        return await self._kill_when_up(rng, rng.choice(self._labels(gateway=True)))

    async def _breath(self, rng: random.Random, labels: list[str], within_s: float = BREATH_S) -> None:
        if rng.random() >= WITHOUT_A_BREATH:
            await self.stack.recovered(labels, within_s)

    async def _kill_when_up(self, rng: random.Random, label: str) -> str:
        await self._breath(rng, [label])
        return self._kill(label)

    def _kill(self, label: str) -> str:
        with self._disturbing(PROCESS):
            return f"{label} ({'killed' if self.stack.unit(label).signal(signal.SIGKILL) else 'was dead'})"

    def _disturbing(self, what: str) -> AbstractContextManager[None]:
        return self.stack.disturbances.of(what)

    def kill_gateway_now(self) -> None:
        """SIGKILL to every gateway, this moment."""
        for label in self._labels(gateway=True):
            self._kill(label)
        self.done["kill gateway after 202"] += 1

    async def kill_broker_now(self) -> None:
        """SIGKILL to the broker, this moment, and up again."""
        if self.stack.broker.turn.locked():
            return  # it is down already
        async with self.stack.broker.turn:
            with self._disturbing(BROKER):
                self.stack.broker.kill_now()
                self.done["kill broker after 202"] += 1
                await self.stack.broker.start()

    async def _stop_worker(self, rng: random.Random) -> str:
        return await self._stop(rng, rng.choice(self._labels(gateway=False)))

    async def _stop_gateway(self, rng: random.Random) -> str:
        return await self._stop(rng, rng.choice(self._labels(gateway=True)))

    async def _stop(self, rng: random.Random, label: str) -> str:
        seconds = rng.uniform(1, self.longest_s)
        await self._breath(rng, [label])
        unit = self.stack.unit(label)
        with self._disturbing(PROCESS):
            unit.signal(signal.SIGSTOP)
            try:
                await asyncio.sleep(seconds)
            finally:
                unit.signal(signal.SIGCONT)
        return f"{label} for {seconds:.1f} s"

    async def _all_breathe(self, rng: random.Random) -> None:
        """One server after the other, with a moment of work between them."""
        async with self._servers_turn:
            await self._breath(rng, [unit.label for unit in self.stack.nursery.units], SERVERS_BREATH_S)
            await asyncio.sleep(rng.uniform(LEAST_WORK_S, min(MOST_WORK_S, self.longest_s)))

    async def _restart_broker(self, rng: random.Random) -> str:
        await self._all_breathe(rng)
        with self._disturbing(BROKER):
            await self.stack.broker.restart()
        return "up again"

    async def _kill_broker(self, rng: random.Random) -> str:
        await self._all_breathe(rng)
        with self._disturbing(BROKER):
            await self.stack.broker.kill()
        return "up again"

    async def _kill_database(self, rng: random.Random) -> str:
        await self._all_breathe(rng)
        with self._disturbing(DATABASE):
            await self.stack.database.kill()
        return "up again"

    async def _stop_database(self, rng: random.Random) -> str:
        await self._all_breathe(rng)
        seconds = rng.uniform(1, self.longest_s)
        with self._disturbing(DATABASE):
            await self.stack.database.stop_for(seconds)
        return f"for {seconds:.1f} s"

    async def _cut(self, rng: random.Random) -> str:
        proxy = rng.choice(list(self.stack.proxies.values()))
        with self._disturbing(proxy.name):
            return f"{proxy.cut()} connections to {proxy.name}"

    async def _slow(self, rng: random.Random) -> str:
        proxy = rng.choice(list(self.stack.proxies.values()))
        proxy.delay_s = rng.uniform(0.01, 0.3)
        what = f"{proxy.name} by {proxy.delay_s:.2f} s a piece"
        return await self._while_in_trouble(rng, proxy.name, proxy.heal, what)

    async def _refuse(self, rng: random.Random) -> str:
        proxy = rng.choice(list(self.stack.proxies.values()))
        proxy.refuse(refusing=True)
        return await self._while_in_trouble(rng, proxy.name, proxy.heal, proxy.name)

    async def _stall(self, rng: random.Random) -> str:
        proxy = rng.choice(list(self.stack.proxies.values()))
        proxy.stall(stalled=True)
        return await self._while_in_trouble(rng, proxy.name, proxy.heal, proxy.name)

    async def _while_in_trouble(self, rng: random.Random, whose: str, heal: Callable[[], None], what: str) -> str:
        seconds = rng.uniform(0.5, self.longest_s * 0.6)
        with self._disturbing(whose):
            try:
                await asyncio.sleep(seconds)
            finally:
                heal()
        return f"{what} for {seconds:.1f} s"

    async def _storage(self, rng: random.Random) -> str:
        server = self.stack.objects
        if server is None:
            kind = rng.choice((REFUSE, FULL))
            self.stack.trouble.begin(kind)
            return await self._while_in_trouble(rng, STORAGE, self.stack.trouble.end, kind)
        with self._disturbing(STORAGE):
            return await self._server_in_trouble(rng, server)

    async def _server_in_trouble(self, rng: random.Random, server: Server) -> str:
        if rng.random() < 0.4:
            await server.kill()
            return "killed and up again"
        seconds = rng.uniform(1, self.longest_s)
        await server.stop_for(seconds)
        return f"stopped for {seconds:.1f} s"

    async def _fill_disk(self, rng: random.Random) -> str:
        return await self._fill(rng, rng.sample(sorted(self.stack.disks), min(1, len(self.stack.disks))))

    async def _fill_every_disk(self, rng: random.Random) -> str:
        return await self._fill(rng, sorted(self.stack.disks))

    async def _fill(self, rng: random.Random, names: list[str]) -> str:
        if not names:
            return "there is none that could be filled: a small file system can only be mounted by root"
        await self._all_breathe(rng)
        seconds = rng.uniform(2, max(3.0, self.longest_s))
        await asyncio.gather(*(self._fill_for(seconds, name) for name in names))
        return f"{', '.join(names)} for {seconds:.1f} s"

    async def _fill_for(self, seconds: float, name: str) -> None:
        what, server = self.stack.on_disk(name)
        async with server.turn if server else nullcontext():
            with self._disturbing(what):
                async with full(self.stack.disks[name]):
                    await asyncio.sleep(seconds)
                if server is not None:
                    await server.revive()

    async def cut_off(self, doing: Awaitable[None]) -> None:
        """Have something done while the broker is away, and kill every gateway in the moment after it.

        Whatever was accepted meanwhile, nobody remembers but the database.
        """
        proxy = self.stack.proxies["broker"]
        with self._disturbing(BROKER):
            proxy.refuse(refusing=True)
            try:
                await doing
            finally:
                self.kill_gateway_now()
                proxy.heal()

    async def _repeat_events(self, rng: random.Random) -> str:
        letters = self.tap.copies(rng, COPIES_AT_ONCE)
        with self._disturbing(COPIES):
            sent = [await self.tap.send(letter) for letter in letters]
        return f"{sum(sent)} events again, in no order"

    async def _repeat_commands(self, rng: random.Random) -> str:
        letters = self.tap.command_copies(rng, COPIES_AT_ONCE // 3)
        with self._disturbing(COPIES):
            sent = [await self.tap.send(letter) for letter in letters]
        return f"{sum(sent)} commands again"

    async def _hostile(self, rng: random.Random) -> str:
        job_ids = [case.job_id for case in self.cases if case.job_id]
        for _ in range(rng.randint(1, HOSTILES_AT_ONCE)):
            self._numbers += 1
            message = hostile(rng, job_ids, self._numbers)
            # One that is not confirmed may have arrived all the same.
            if await self.tap.send(message.letter):
                self.hostiles.append(message)
            else:
                self.unconfirmed.add(str(message.letter.message_id))
        return f"{len(self.hostiles)} hostile messages so far"
