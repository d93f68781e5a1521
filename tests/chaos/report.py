"""What a run has to say."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tests.chaos.ledger import Ledger
from tests.chaos.queues import DeadLetter
from tests.chaos.verdict import Tally

if TYPE_CHECKING:
    from tests.chaos.run import Run


@dataclass(frozen=True)
class Report:
    """The figures of a run, and its findings."""

    seed: int
    storage: str
    jobs: int
    accepted: int
    by_event: int
    owners: int
    ended: dict[str, int]
    faults: dict[str, int]
    starts: dict[str, int]
    down_s: dict[str, float]
    peak_mb: dict[str, int]
    copies_sent: int
    hostiles: int
    dead_letters: int
    ledger: dict[str, int]
    repeated_without_reason: int
    broken_lines: int
    server_errors: int
    lost: int
    doubled: int
    stuck: int
    wall_s: float
    worst_lag_s: float
    findings: tuple[str, ...]

    @classmethod
    def of(
        cls,
        run: "Run",
        tally: Tally,
        letters: list[DeadLetter],
        ledger: Ledger,
        peak_mb: dict[str, int],
        wall_s: float,
    ) -> "Report":
        """Put it together."""
        stack = run.stack
        servers = [server for server in (stack.broker, stack.database, stack.objects) if server]
        starts = {unit.label: unit.starts for unit in stack.nursery.units}
        starts |= {server.name: server.starts for server in servers}
        return cls(
            seed=run.plan.seed,
            storage="s3" if run.plan.with_s3 else "local",
            jobs=len(run.plan.wishes),
            accepted=sum(1 for case in run.cases if case.job_id and case.wish.number > 0),
            by_event=sum(1 for case in run.cases if case.job_id and case.wish.number > 0 and case.wish.by_event),
            owners=len(run.owners.accounts),
            ended=dict(sorted(tally.ended.items())),
            faults=dict(sorted(run.injector.done.items())),
            starts=starts,
            down_s={server.name: round(server.down_s, 1) for server in servers},
            peak_mb=peak_mb,
            copies_sent=run.tap.sent - len(run.injector.hostiles),
            hostiles=len(run.injector.hostiles),
            dead_letters=len(letters),
            ledger=ledger.figures(),
            repeated_without_reason=len(tally.repeated),
            broken_lines=run.connections.broken_lines,
            server_errors=run.connections.server_errors,
            lost=len(tally.lost),
            doubled=len(tally.doubled),
            stuck=len(tally.stuck),
            wall_s=round(wall_s, 1),
            worst_lag_s=round(run.worst_lag_s, 2),
            findings=tuple(tally.findings()),
        )

    def values(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """For people."""
        ended = ", ".join(f"{count} {how}" for how, count in self.ended.items())
        faults = ", ".join(f"{count} {kind}" for kind, count in self.faults.items())
        engines = ", ".join(f"{count} {what}" for what, count in self.ledger.items())
        return [
            f"seed {self.seed}, {self.storage} storage, {self.wall_s:.0f} s (harness late by {self.worst_lag_s} s)",
            f"jobs: {self.jobs} handed in, {self.accepted} accepted, {self.by_event} of them by event",
            f"ended, with the quiet run's: {ended}",
            f"faults: {sum(self.faults.values())} ({faults})",
            f"starts: {', '.join(f'{name} {count}' for name, count in self.starts.items())}",
            f"starting took: {', '.join(f'{name} {seconds} s' for name, seconds in self.down_s.items())}",
            f"most memory: {', '.join(f'{name} {size} MB' for name, size in self.peak_mb.items())}",
            f"sent from outside: {self.copies_sent} copies, {self.hostiles} hostile messages",
            f"dead letters: {self.dead_letters}",
            f"clients: {self.broken_lines} broken lines, {self.server_errors} answers of 500 and above",
            f"engines: {engines}; {self.repeated_without_reason} repeated without a reason",
            f"lost {self.lost}, doubled {self.doubled}, stuck {self.stuck}, findings {len(self.findings)}",
            *(f"FINDING {finding}" for finding in self.findings),
        ]
