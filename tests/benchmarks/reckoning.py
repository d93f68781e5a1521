"""Which programs are killed when, and how what became of the jobs is reckoned.

What is counted of each:

- lost: a job that never ended and of which no queue holds anything any more;
- stuck: a job that did not end within a limit after the last fault, while a queue still holds a message of it;
- failed: a job that ended with an error that its owner is told;
- doubled stages: a stage of a job that was carried out to its end more than once (any unit of it);
- doubled results: the end of a job that was made known more than once: Lectern's event `handout.rendered`, which comes
  again under the same message id, Celery's stored success of the last task.
"""

import random
from collections import Counter
from dataclasses import dataclass, field

from tests.benchmarks.ledger import Entry
from tests.benchmarks.system import STAGES

BROKER = "rabbitmq"
LONGEST_DELAY_S = 0.3


@dataclass(frozen=True)
class Size:
    """Jobs, a kill of a worker for every so many that end, and how long is waited for what does not end."""

    jobs: int = 200
    jobs_per_kill: int = 10
    limit_s: float = 120.0


QUICK = Size(jobs=24, jobs_per_kill=8, limit_s=45.0)


@dataclass(frozen=True)
class Kill:
    """SIGKILL of `program`, `delay_s` after `ended` jobs have ended."""

    ended: int
    program: str
    delay_s: float


def schedule(size: Size, seed: int) -> list[Kill]:
    """A kill of one worker for every `jobs_per_kill` jobs, and one of the broker half-way. The same for a seed."""
    rng = random.Random(seed)
    steps = list(range(0, size.jobs, size.jobs_per_kill))
    kills = [Kill(ended, rng.choice(STAGES), rng.uniform(0, LONGEST_DELAY_S)) for ended in steps]
    middle = steps[len(steps) // 2] + size.jobs_per_kill // 2
    return sorted([*kills, Kill(middle, BROKER, rng.uniform(0, LONGEST_DELAY_S))], key=lambda kill: kill.ended)


@dataclass(frozen=True)
class Outcome:
    """What became of the jobs."""

    lost: int
    stuck: int
    failed: int
    doubled_stages: int
    doubled_results: int
    took_s: float


@dataclass
class Seen:
    """What a side knows at a moment: how often the end of each job was made known, and jobs that failed."""

    published: Counter[str] = field(default_factory=Counter)
    failed: set[str] = field(default_factory=set)

    def ended(self) -> set[str]:
        """Jobs that are over, well or not."""
        return {*self.published} | self.failed


def outcome(seen: Seen, ledger: Counter[Entry], missing: set[str], held: set[str], took_s: float) -> Outcome:
    """The reckoning."""
    stages = {(entry.job_id, entry.stage) for entry, count in ledger.items() if count > 1 and entry.stage in STAGES}
    return Outcome(
        lost=len(missing - held),
        stuck=len(missing & held),
        failed=len(seen.failed),
        doubled_stages=len(stages),
        doubled_results=sum(1 for count in seen.published.values() if count > 1),
        took_s=took_s,
    )
