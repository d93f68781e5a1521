"""One run: a quiet beginning, then jobs and faults, then peace, and the reckoning."""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from tests.chaos import inventory, queues
from tests.chaos import stack as stacks
from tests.chaos.cases import ENDED, LOCAL, Case, Way, Wish
from tests.chaos.connections import Connections
from tests.chaos.content import Content
from tests.chaos.faults import Injector
from tests.chaos.owners import KEYED, KEYLESS, Owners
from tests.chaos.plan import EVENT_WAYS, IN_ALL_STAGES, Fault, Plan
from tests.chaos.progress import Progress
from tests.chaos.reckoning import reckon
from tests.chaos.report import Report
from tests.chaos.stack import Stack
from tests.chaos.submitter import Submitter
from tests.chaos.tap import Tap
from tests.chaos.verdict import Quiet, quiet_of
from tests.chaos.watch import Watch, follow, look_on

QUIET_LIMIT_S = 120.0
LOOK_EVERY_S = 1.0
ASK_EVERY_S = 1.5
FOLLOWED_SHARE = 0.05
TELL_EVERY_S = 10.0


class Run:
    """Carries a plan out."""

    def __init__(self, plan: Plan, stack: Stack, say: Callable[[str], None]) -> None:
        self.plan = plan
        self.stack = stack
        self.rng = random.Random(plan.seed + 1)
        self._say = say
        self._tasks: set[asyncio.Task[None]] = set()
        self.began_s = time.monotonic()
        self.connections = Connections(stack.url, random.Random(plan.seed + 2))
        self.owners = Owners(self.connections, stack.api_key)
        self.tap = Tap(stack.node.url)
        self.submitter = Submitter(stack, self.tap)
        self.watch = Watch()
        self.progress = Progress()
        self.cases = [Case(wish) for wish in plan.wishes]
        self.injector = Injector(stack, self.tap, self.cases, self.say, plan.longest_s)
        self._last_upload_s = self.began_s
        self.worst_lag_s = 0.0

    def say(self, text: str) -> None:
        """A line for who follows the run."""
        self._say(f"{time.monotonic() - self.began_s:7.1f} s  {text}")

    async def carry_out(self) -> Report:
        """The whole run."""
        await self.tap.open()
        await self.owners.open(*KEYED)
        quiet = await self._quietly()
        looking = asyncio.gather(look_on(self.owners, self.watch), self._measure_lag(), self._tell())
        try:
            await self._disturbed()
            self.say("everything is healed; waiting for peace")
            await self.owners.open(KEYLESS)
            await self._until_peace()
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
        self.say("reckoning")
        return await reckon(self, quiet)

    async def close(self) -> None:
        """End what still goes on."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self.tap.close()
        finally:
            await self.connections.close()

    async def _quietly(self) -> dict[tuple[str, bool], Quiet]:
        """Every content once by HTTP and once by event, undisturbed: what it comes to is what it must come to later."""
        self.say("a quiet run of every content")
        cases = [Case(wish) for wish in quiet_wishes(self.plan)]
        async with asyncio.timeout(QUIET_LIMIT_S):
            await asyncio.gather(*(self._quiet(case) for case in cases))
        objects = await inventory.take(self.stack)
        self.cases[:0] = cases
        jobs = (await self.owners.all_jobs())[LOCAL]
        return {
            case.wish.kind: quiet_of(case.wish.content, jobs[str(case.job_id)], objects.get(str(case.job_id), {}))
            for case in cases
        }

    async def _quiet(self, case: Case) -> None:
        await self._submit(case)
        if case.wish.content.name == IN_ALL_STAGES and not case.wish.by_event:
            watching = self._background(self.progress.watch(self.owners.administrator, str(case.job_id)))
            await self._ended(case)
            watching.cancel()
        await self._ended(case)
        if case.wish.content.mendable:
            self.stack.workshop.mend(str(case.job_id))
            await self.owners.accounts[case.wish.owner].act(case)
            await self._ended(case)

    async def _submit(self, case: Case) -> None:
        if case.wish.by_event:
            await self.submitter.submit(case)
        else:
            await self.owners.accounts[case.wish.owner].submit(case)

    async def _ended(self, case: Case) -> None:
        """Wait until the job has ended, but not for ever: one that does not is found out in the reckoning."""
        await self._until(case, lambda job: job["status"] in ENDED)

    async def _until(self, case: Case, holds: Callable[[dict[str, Any]], bool]) -> None:
        account = self.owners.accounts[case.wish.owner]
        deadline = time.monotonic() + self.plan.patience_s
        while time.monotonic() < deadline:
            job = await account.get(str(case.job_id))
            if job is not None and holds(job):
                return
            await asyncio.sleep(ASK_EVERY_S)
        case.notes.append("waited for in vain")

    async def _disturbed(self) -> None:
        plan = self.plan
        self.say(f"{len(plan.wishes)} jobs and {len(plan.faults)} faults in {plan.window_s:.0f} s")
        began = time.monotonic()
        doing = [self._at(began, case.wish.at_s, self._live(case)) for case in self.cases if case.wish.number > 0]
        faults = [self._at(began, fault.at_s, self._fault(fault)) for fault in plan.faults]
        await asyncio.gather(*faults)
        self.stack.heal()
        await asyncio.gather(*doing)
        await self.stack.until_ready()

    def _at(self, began: float, at_s: float, what: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        async def later() -> None:
            try:
                await asyncio.sleep(max(0.0, began + at_s - time.monotonic()))
            except asyncio.CancelledError:
                what.close()
                raise
            await what

        return self._background(later())

    def _background(self, what: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _fault(self, fault: Fault) -> None:
        await self.injector.inject(fault)

    async def _live(self, case: Case) -> None:
        """What one owner does."""
        if case.wish.cut_off == "submit":
            await self.injector.cut_off(self._submit(case))
        else:
            await self._submit(case)
        self._last_upload_s = time.monotonic()
        if case.job_id is None:
            return
        match case.wish.then_kill:
            case "gateway":
                self.injector.kill_gateway_now()
            case "broker":
                await self.injector.kill_broker_now()
        account = self.owners.accounts.get(case.wish.owner)
        if account is None:
            return
        if self.rng.random() < FOLLOWED_SHARE:
            self._background(follow(account, case.job_id, self.watch))
        if case.wish.content.mendable:
            await self._ended(case)
            self.stack.workshop.mend(case.job_id)
        elif case.wish.by_event and case.wish.act != "none":
            await self._until(case, lambda _job: True)  # a moment after the broker, the gateway knows it too
        if case.wish.cut_off == "act":
            await self.injector.cut_off(account.act(case))
        else:
            await account.act(case)

    async def _tell(self) -> None:
        """Now and then say how far it is."""
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            handed_in = [case for case in self.cases if case.tries]
            accepted = sum(case.job_id is not None for case in handed_in)
            clients = self.connections
            self.say(
                f"{len(handed_in)} jobs handed in, {accepted} accepted; {self.injector.done.total()} faults; "
                f"{clients.broken_lines} broken lines, {clients.server_errors} server errors; "
                f"late by {self.worst_lag_s:.1f} s"
            )

    async def _measure_lag(self) -> None:
        """How late this process itself is at its worst: the proxies and clients are no faster than it."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.1)
            self.worst_lag_s = max(self.worst_lag_s, time.monotonic() - before - 0.1)

    async def _until_peace(self) -> None:
        """Wait until every job has ended and every queue is empty, or until it is clear that this will not be."""
        deadline = time.monotonic() + self.plan.patience_s
        # Uploads of requests that were cut short are orphans then, and have been swept.
        age_s = self.plan.orphan_age_s
        least = self._last_upload_s + (1.25 * age_s + 3 if any(case.tries != 1 for case in self.cases) else 0)
        while time.monotonic() < deadline:
            open_jobs = await self.owners.open_jobs()
            waiting = {name: count for name, count in (await queues.ready_counts(self.stack.node.url)).items() if count}
            if not open_jobs and not waiting and time.monotonic() >= least:
                left = queues.leftover_findings(await queues.counts(self.stack))
                if not left:
                    return
            await asyncio.sleep(LOOK_EVERY_S)
        self.say(f"no peace: {len(open_jobs)} jobs have not ended, messages wait in {waiting}")


def quiet_wishes(plan: Plan) -> list[Wish]:
    """The submissions of the quiet run; those by event in each form in turn."""
    wishes = []
    for number, content in enumerate(plan.palette):
        wishes.append(_quiet_wish(2 * number, content, "http"))
        wishes.append(_quiet_wish(2 * number + 1, content, EVENT_WAYS[number % len(EVENT_WAYS)]))
    return wishes


def _quiet_wish(number: int, content: Content, way: Way) -> Wish:
    return Wish(-number, 0, content, f"quiet-{number:04d}", act="retry" if content.mendable else "none", way=way)


async def run(plan: Plan, folder: Path, say: Callable[[str], None]) -> Report:
    """Carry `plan` out in `folder`."""
    async with stacks.running(folder, with_s3=plan.with_s3, orphan_age_s=plan.orphan_age_s) as stack:
        one = Run(plan, stack, say)
        try:
            return await one.carry_out()
        finally:
            await one.close()
