"""What somebody wants of the system, and what became of it as they saw it."""

from dataclasses import dataclass, field
from typing import Literal

from tests.chaos.content import Content

ENDED = frozenset({"done", "partial", "failed", "cancelled"})

Act = Literal["none", "delete", "cancel", "retry", "replay", "abandon"]
# Over HTTP, or as an event: the bare body, or a CloudEvent in one of the two modes.
Way = Literal["http", "bare", "binary", "structured"]
LOCAL = "local"  # the user of the first key, who is an administrator


@dataclass(frozen=True)
class Wish:
    """One job that somebody wants: `act` is what they do with it `after_s` seconds after it was accepted.

    `key` is the idempotency key or, of an event, the job's id. `then_kill` names what is killed in the moment after it
    was accepted. What is `cut_off` is done while the broker is away, and then every gateway is killed.
    """

    number: int
    at_s: float
    content: Content
    key: str
    act: Act = "none"
    after_s: float = 0.0
    then_kill: str | None = None
    owner: str = LOCAL
    way: Way = "http"
    cut_off: Literal["submit", "act"] | None = None

    @property
    def by_event(self) -> bool:
        """Whether it is submitted by an event."""
        return self.way != "http"

    @property
    def kind(self) -> tuple[str, bool]:
        """What decides which objects it comes to: its content, and whether it is submitted by an event."""
        return self.content.name, self.by_event


@dataclass
class Case:
    """What became of a wish, as its owner saw it."""

    wish: Wish
    job_id: str | None = None
    tries: int = 0
    first_202_at: float | None = None
    cancelled: bool = False
    deleted: bool = False
    mended: bool = False
    unsure: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        """How findings name it."""
        wish = self.wish
        return f"job {self.job_id} (#{wish.number}, {wish.content.name}, {wish.way} of {wish.owner})"
