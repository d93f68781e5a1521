"""How long one call of an engine may take, and how it is interrupted from inside (PIP-3).

The soft limit ends the work alone: the function is interrupted wherever Python runs, cleans up, and what its process
has loaded stays. The hard limit ends the process, for work that is stuck in native code.
"""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Annotated, ParamSpec, TypeVar

from pydantic import AfterValidator, Field, ValidationInfo

P = ParamSpec("P")
T = TypeVar("T")

SOFT_SHARE = 0.9


@dataclass(frozen=True)
class TimeLimits:
    """Both limits of one call in seconds, counted from the same moment. Raises ValueError unless 0 < soft <= hard."""

    soft_s: float
    hard_s: float

    def __post_init__(self) -> None:
        if not 0 < self.soft_s <= self.hard_s:
            raise ValueError(f"a soft limit of {self.soft_s:g} s does not fit a hard limit of {self.hard_s:g} s")

    @classmethod
    def of(cls, hard_s: float, soft_s: float | None = None) -> "TimeLimits":
        """The limits that two settings give; the soft one is nine tenths of the hard one unless it is named."""
        return cls(hard_s * SOFT_SHARE if soft_s is None else soft_s, hard_s)


def _at_most_the_hard_one(soft_s: float | None, info: ValidationInfo) -> float | None:
    name = (info.field_name or "").replace("soft_", "")
    hard_s = info.data.get(name)  # absent when it is faulty itself, which is said then
    if soft_s is not None and hard_s is not None and soft_s > hard_s:
        raise ValueError(f"{soft_s:g} s is more than the hard limit beside it, {name.upper()}, which is {hard_s:g} s")
    return soft_s


# Of a setting `..._timeout_s`, and of the setting `..._soft_timeout_s` that follows it in its class.
HardTimeout = Annotated[float, Field(gt=0, allow_inf_nan=False)]
SoftTimeout = Annotated[float | None, Field(gt=0, allow_inf_nan=False), AfterValidator(_at_most_the_hard_one)]
SOFT_TIMEOUT = (
    "After so many seconds that work is stopped and its engine goes on with the next; at the limit above its process "
    "is killed. Empty: nine tenths of that limit."
)


class Interruption(BaseException):
    """The soft limit has passed.

    Not an Exception: an engine that takes every fault for one of its input would go on until the hard limit.
    """


class _Alarm:
    """This process's timer. A signal counts only when the deadline of the call at hand has passed."""

    def __init__(self) -> None:
        self._deadline: float | None = None

    def set(self, deadline: float) -> None:
        signal.signal(signal.SIGALRM, self._ring)
        self._deadline = deadline
        self._wait()

    def clear(self) -> None:
        self._deadline = None
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _wait(self) -> None:
        if self._deadline is not None:
            # Never zero, which would be no timer.
            signal.setitimer(signal.ITIMER_REAL, max(0.001, self._deadline - time.monotonic()))

    def _ring(self, _signal: int, _frame: FrameType | None) -> None:
        if self._deadline is None:
            return  # late: the call has ended
        if time.monotonic() < self._deadline:
            self._wait()
            return
        self._deadline = None
        raise Interruption


_ALARM = _Alarm()


def call_until(deadline: float, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `function` returns, or Interruption raised in it at `deadline`, a time of `time.monotonic`.

    That clock is the same in all processes of a machine. For the main thread of a process whose SIGALRM nobody else
    uses; one call at a time.
    """
    try:
        _ALARM.set(deadline)
        return function(*args, **kwargs)
    finally:
        _ALARM.clear()
