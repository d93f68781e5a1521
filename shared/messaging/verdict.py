"""What to do with a failed message, as a pure function of the error and of what happened to it before (PIP-4)."""

import errno
import json
import math
from collections.abc import Callable
from dataclasses import dataclass

from faststream.exceptions import SubscriberNotFound
from pydantic import ValidationError

from shared.errors import InvalidMessageError, LecternError, ScratchError
from shared.messaging.headers import ATTEMPT, Headers, number

# Faults of a database, storage or broker that answers all the same say nothing about the message: it is tried this
# often before it is given up, with its own attempts untouched.
WAITS_ALLOWED = 20
INVALID_MESSAGE = "invalid-message"


class UnreadableMessageError(ValueError):
    """A message that is no JSON object of a content type that is understood."""


# A RecursionError is JSON that is nested too deep.
MALFORMED = (
    UnreadableMessageError,
    ValidationError,
    json.JSONDecodeError,
    UnicodeDecodeError,
    RecursionError,
    SubscriberNotFound,
)
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Past:
    """What a message has behind it.

    `attempts` that failed for its own sake, `waits` for a dependency, and for how long it has been `waiting_s` since
    the first of those.
    """

    attempts: int = 0
    waits: int = 0
    waiting_s: float = 0.0


@dataclass(frozen=True)
class Policy:
    """`delays_s`: the pause before each further attempt. `patience_s`: how long to wait for an absent dependency."""

    delays_s: tuple[float, ...]
    patience_s: float = 86_400.0


@dataclass(frozen=True)
class Verdict:
    """`delay_s` is None for the dead letters. `waits`: for a dependency, so that no attempt is used up."""

    reason: str
    delay_s: float | None
    code: str
    public_message: str
    waits: bool = False


def judge(error: Exception, past: Past, policy: Policy, *, away: bool = False) -> Verdict:
    """The verdict on a message that failed with `error`.

    `away`: the dependency that the error names, or the disk of temporary files, does not work at present. What failed
    then is tried again whatever it says of the message, as long as that can be read.
    """
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        error = ScratchError(str(error))
    expected = error if isinstance(error, LecternError) else None
    code = expected.code if expected else LecternError.code
    public_message = expected.public_message if expected else LecternError.default_message
    if isinstance(error, MALFORMED):
        return Verdict(INVALID_MESSAGE, None, InvalidMessageError.code, InvalidMessageError.default_message)
    hopeless = expected and (not expected.retryable or past.attempts + 1 >= (expected.most_attempts or math.inf))
    if hopeless and not away:
        return Verdict("permanent-error", None, code, public_message)
    if away or (expected and expected.dependency):
        given_up = past.waiting_s > policy.patience_s if away else past.waits >= WAITS_ALLOWED
        if given_up:
            return Verdict("dependency-unavailable", None, code, public_message)
        delay_s = policy.delays_s[min(past.waits, len(policy.delays_s) - 1)]
        return Verdict("dependency-away", delay_s, code, public_message, waits=True)
    if past.attempts >= len(policy.delays_s):
        return Verdict("attempts-exhausted", None, code, public_message)
    return Verdict("retry", policy.delays_s[past.attempts], code, public_message)


def gives_up(headers: Headers, delays_s: tuple[float, ...]) -> Callable[[LecternError], bool]:
    """Whether a message with these headers would be given up, were it to fail with this error for its own sake."""
    past = Past(number(headers, ATTEMPT))
    return lambda error: judge(error, past, Policy(delays_s)).delay_s is None
