"""One run: a quiet beginning, then jobs and faults, then peace, and the reckoning."""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from tests.chaos import inventory, queues, verdict
from tests.chaos import stack as stacks
from tests.chaos.clients import ENDED, Case, Clients, Wish
from tests.chaos.content import Content
from tests.chaos.ending import end_in_order
from tests.chaos.faults import Injector
from tests.chaos.ledger import read_ledger
from tests.chaos.plan import Fault, Plan
from tests.chaos.report import Report
from tests.chaos.stack import Stack
from tests.chaos.tap import Tap
from tests.chaos.verdict import Quiet, Tally, quiet_of
from tests.chaos.watch import Watch, follow, look_on

QUIET_LIMIT_S = 90.0
PEACE_LIMIT_S = 120.0
LOOK_EVERY_S = 1.0
ASK_EVERY_S = 1.5
FOLLOWED_SHARE = 0.05
TELL_EVERY_S = 10.0


class Run:
    """Carries a plan out."""

    def __init__(self, plan: Plan, stack: Stack, say: Callable[[str], None]) -> None:
        self.plan = plan
        self.stack = stack
        self._rng = random.Random(plan.seed + 1)
        self._say = say
        self._tasks: set[asyncio.Task[None]] = set()
        self._began = time.monotonic()
        self.clients = Clients(stack.url, stack.api_key, random.Random(plan.seed + 2))
        self.tap = Tap(stack.node.url)
        self.watch = Watch()
        self.cases = [Case(wish) for wish in plan.wishes]
        self.injector = Injector(stack, self.tap, self.cases, self.say, plan.longest_s)
        self._last_upload_s = self._began
        self.worst_lag_s = 0.0

    def say(self, text: str) -> None:
        """A line for who follows the run."""
        self._say(f"{time.monotonic() - self._began:7.1f} s  {text}")

    async def carry_out(self) -> Report:
        """The whole run."""
        await self.tap.open()
        quiet = await self._quietly()
        looking = asyncio.gather(look_on(self.clients, self.watch), self._measure_lag(), self._tell())
        try:
            await self._disturbed()
            self.say("everything is healed; waiting for peace")
            await self._until_peace()
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
        return await self._reckon(quiet)

    async def close(self) -> None:
        """End what still goes on."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.tap.close()
        await self.clients.close()

    async def _quietly(self) -> dict[str, Quiet]:
        """Every content once, undisturbed: what it comes to is what it must come to later."""
        self.say("a quiet run of every content")
        cases = [Case(_quiet_wish(number, content)) for number, content in enumerate(self.plan.palette)]
        async with asyncio.timeout(QUIET_LIMIT_S):
            await asyncio.gather(*(self._quiet(case) for case in cases))
        objects = await inventory.take(self.stack)
        self.cases[:0] = cases
        jobs = {job["job_id"]: job for job in await self.clients.all_jobs()}
        return {
            case.wish.content.name: quiet_of(
                case.wish.content, jobs[str(case.job_id)], objects.get(str(case.job_id), {})
            )
            for case in cases
        }

    async def _quiet(self, case: Case) -> None:
        await self.clients.submit(case)
        await self._ended(str(case.job_id))
        if case.wish.content.mendable:
            self.stack.workshop.mend(str(case.job_id))
            await self.clients.act(case)
            await self._ended(str(case.job_id))

    async def _ended(self, job_id: str) -> None:
        while (job := await self.clients.get(job_id)) is None or job["status"] not in ENDED:
            await asyncio.sleep(ASK_EVERY_S)

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
        await self.clients.submit(case)
        self._last_upload_s = time.monotonic()
        if case.job_id is None:
            return
        match case.wish.then_kill:
            case "gateway":
                self.injector.kill_gateway_now()
            case "broker":
                await self.injector.kill_broker_now()
        if self._rng.random() < FOLLOWED_SHARE:
            self._background(follow(self.clients, case.job_id, self.watch))
        if case.wish.content.mendable:
            await self._ended(case.job_id)
            self.stack.workshop.mend(case.job_id)
        await self.clients.act(case)

    async def _tell(self) -> None:
        """Now and then say how far it is."""
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            handed_in = [case for case in self.cases if case.tries]
            accepted = sum(case.job_id is not None for case in handed_in)
            clients = self.clients
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
        deadline = time.monotonic() + PEACE_LIMIT_S
        # Uploads of requests that were cut short are orphans then, and have been swept.
        age_s = self.plan.orphan_age_s
        least = self._last_upload_s + (1.25 * age_s + 3 if any(case.tries != 1 for case in self.cases) else 0)
        while time.monotonic() < deadline:
            open_jobs = await self.clients.open_jobs()
            waiting = {name: count for name, count in (await queues.ready_counts(self.stack.node.url)).items() if count}
            if not open_jobs and not waiting and time.monotonic() >= least:
                left = queues.leftover_findings(await queues.counts(self.stack))
                if not left:
                    return
            await asyncio.sleep(LOOK_EVERY_S)
        self.say(f"no peace: {len(open_jobs)} jobs have not ended, messages wait in {waiting}")

    async def _reckon(self, quiet: dict[str, Quiet]) -> Report:
        self.say("reckoning")
        jobs = {job["job_id"]: job for job in await self.clients.all_jobs()}
        objects = await inventory.take(self.stack)
        nobodys = objects.pop("?", {})
        tally = Tally()
        accepted = [case for case in self.cases if case.job_id is not None]
        for case in accepted:
            job_id = str(case.job_id)
            verdict.judge(case, jobs.get(job_id), objects.get(job_id, {}), quiet[case.wish.content.name], tally)
        tally.others += self._unaccepted(jobs, objects, {str(case.job_id) for case in accepted})
        mended = {str(case.job_id) for case in accepted if case.wish.content.mendable}
        tally.others += self.watch.findings(mended)
        tally.others += await verdict.judge_downloads(self.clients, list(jobs.values()), self._rng)
        tally.others += queues.leftover_findings(await queues.counts(self.stack))
        letters = await queues.dead_letters(self.stack.node.url)
        by_id = {str(case.job_id): case for case in accepted}
        tally.others += queues.letter_findings(
            letters, self.injector.hostiles, self.injector.unconfirmed, by_id | queues.unanswered(jobs, self.cases)
        )
        tally.others += queues.stored_findings(letters, nobodys)
        tally.others += await queues.account_findings(self.clients, letters, by_id)
        peak_mb = {unit.label: unit.peak_mb() for unit in self.stack.nursery.units}
        tally.others += await end_in_order(self.stack)
        ledger = read_ledger(self.stack.workshop.folder)
        return Report.of(self, tally, letters, ledger, peak_mb, time.monotonic() - self._began)

    def _unaccepted(
        self, jobs: dict[str, dict[str, Any]], objects: dict[str, dict[str, str]], accepted: set[str]
    ) -> list[str]:
        """Jobs and objects that nobody was promised. Who went away too early may have a job without knowing."""
        without_answer = sum(1 for case in self.cases if case.job_id is None)
        nobodys = set(jobs) - accepted
        found = [
            f"objects of no job under {job_id}: {sorted(objects[job_id])[:4]}"
            for job_id in sorted(set(objects) - set(jobs) - accepted)
        ]
        if len(nobodys) > without_answer:
            found.append(f"{len(nobodys)} jobs that nobody was promised, {without_answer} without an answer")
        found += [
            f"job {job_id}, accepted without an answer, is stuck as {jobs[job_id]['status']}"
            for job_id in sorted(nobodys)
            if jobs[job_id]["status"] not in ENDED
        ]
        return found


def _quiet_wish(number: int, content: Content) -> Wish:
    return Wish(-number, 0, content, f"quiet-{number}", act="retry" if content.mendable else "none")


async def run(plan: Plan, folder: Path, say: Callable[[str], None]) -> Report:
    """Carry `plan` out in `folder`."""
    async with stacks.running(folder, with_s3=plan.with_s3, orphan_age_s=plan.orphan_age_s) as stack:
        one = Run(plan, stack, say)
        try:
            return await one.carry_out()
        finally:
            await one.close()
