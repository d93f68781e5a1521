"""What becomes of a failed message, and what its owner is told of it (PIP-4, PIP-6)."""

import errno
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared import errors, media
from shared.errors import LecternError
from shared.events import JobDeleted
from shared.messaging.verdict import WAITS_ALLOWED, Past, Policy, judge

DELAYS_S = (5.0, 30.0, 120.0)
POLICY = Policy(DELAYS_S)
SECRET = "/srv/secret mongodb://user:hunter2@host Traceback"
ERRORS: list[LecternError] = [
    errors.InvalidSourceError("This file is empty.", internal=SECRET),
    errors.SourceTooLargeError("This file is too large.", internal=SECRET),
    errors.NothingReadError("Page 1 needs more memory than is allowed.", internal=SECRET),
    errors.InvalidMessageError(SECRET),
    errors.StorageError(SECRET),
    errors.ObjectNotFoundError(SECRET),
    errors.DatabaseError(SECRET),
    errors.ScratchError(SECRET),
    errors.BrokerError(SECRET),
    errors.TopologyConflictError(SECRET),
    errors.EngineError(SECRET),
    errors.EngineLimitError(SECRET),
    errors.EngineTimeoutError(SECRET),
    errors.PipelineError(SECRET),
    errors.OtherVersionError(SECRET),
    errors.RateLimitError(SECRET, retry_after_s=3),
    media.MediaToolError("ffmpeg", "failed", SECRET),
]


def malformed() -> list[Exception]:
    caught: list[Exception] = []
    for attempt in (
        lambda: JobDeleted.model_validate({"job_id": SECRET}),
        lambda: json.loads("{" + SECRET),
        b"\xff".decode,
    ):
        try:
            attempt()
        except (ValidationError, ValueError) as error:
            caught.append(error)
    assert len(caught) == 3
    return caught


def kinds(base: type[LecternError]) -> set[type[LecternError]]:
    return {base}.union(*(kinds(kind) for kind in base.__subclasses__()))


def test_every_expected_fault_of_the_shared_code_is_judged_here() -> None:
    of_shared = {kind for kind in kinds(LecternError) if kind.__module__.startswith("shared.")}
    assert of_shared - {LecternError} == {type(error) for error in ERRORS}


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in kinds(LecternError) if kind.__module__.startswith("shared.")]
    assert len(codes) == len(set(codes))


def first_verdict(error: LecternError) -> tuple[str, float | None]:
    if not error.retryable:
        return ("permanent-error", None)
    return ("dependency-away" if error.dependency else "retry", 5.0)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_the_kind_of_fault_decides_between_retry_and_burial(error: LecternError) -> None:
    verdict = judge(error, Past(), POLICY)
    assert (verdict.reason, verdict.delay_s) == first_verdict(error)
    assert verdict.code == error.code


def test_faults_of_a_dependency_are_told_from_faults_of_the_work() -> None:
    names = {type(error): error.dependency for error in ERRORS if error.dependency}
    assert names == {
        errors.StorageError: "storage",
        errors.DatabaseError: "database",
        errors.ScratchError: "scratch",
        errors.BrokerError: "broker",
    }


@pytest.mark.parametrize("error", [*ERRORS, OSError(28, "No space left on device"), ValueError("half a file")], ids=str)
def test_while_the_disk_of_temporary_files_is_full_nothing_is_the_messages_fault(error: Exception) -> None:
    """An engine on a full disk fails in its own words, even with "this file is damaged"."""
    verdict = judge(error, Past(attempts=len(DELAYS_S)), POLICY, away=True)
    assert (verdict.reason, verdict.waits) == ("dependency-away", True)


def test_what_nobody_can_read_waits_for_no_disk() -> None:
    assert {judge(error, Past(), POLICY, away=True).reason for error in malformed()} == {"invalid-message"}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_no_room_uses_up_no_attempt_even_where_a_small_file_still_fits(number: int) -> None:
    verdict = judge(OSError(number, SECRET), Past(attempts=len(DELAYS_S)), POLICY)
    assert (verdict.reason, verdict.code, verdict.waits) == ("dependency-away", errors.ScratchError.code, True)
    assert SECRET not in verdict.public_message
    assert judge(OSError(errno.EIO, SECRET), Past(attempts=len(DELAYS_S)), POLICY).reason == "attempts-exhausted"


@given(st.integers(0, 100), st.integers(0, 100), st.floats(0, 1e6), st.booleans())
def test_waiting_for_a_dependency_uses_up_no_attempt(attempts: int, waits: int, waiting_s: float, away: bool) -> None:
    verdict = judge(errors.DatabaseError("away"), Past(attempts, waits, waiting_s), POLICY, away=away)
    given_up = waiting_s > POLICY.patience_s if away else waits >= WAITS_ALLOWED
    if given_up:
        assert (verdict.reason, verdict.delay_s) == ("dependency-unavailable", None)
    else:
        assert verdict.waits
        assert verdict.delay_s == DELAYS_S[min(waits, len(DELAYS_S) - 1)]


@pytest.mark.parametrize("error", malformed(), ids=lambda error: type(error).__name__)
def test_malformed_messages_are_buried_at_once(error: Exception) -> None:
    verdict = judge(error, Past(), POLICY)
    assert (verdict.reason, verdict.delay_s, verdict.code) == ("invalid-message", None, "invalid_message")


@given(st.integers(1, 50), st.lists(st.floats(0.1, 600), min_size=1, max_size=8).map(tuple))
def test_attempts_wait_for_each_delay_in_turn_and_then_end(attempt: int, delays_s: tuple[float, ...]) -> None:
    verdict = judge(errors.EngineError("busy"), Past(attempt - 1), Policy(delays_s))
    if attempt <= len(delays_s):
        assert (verdict.reason, verdict.delay_s) == ("retry", delays_s[attempt - 1])
    else:
        assert (verdict.reason, verdict.delay_s) == ("attempts-exhausted", None)


def test_a_bug_is_retried_and_told_as_one() -> None:
    verdict = judge(KeyError(SECRET), Past(), POLICY)
    assert (verdict.reason, verdict.code) == ("retry", "internal")
    assert verdict.public_message == LecternError.default_message


@pytest.mark.parametrize(
    "error", [*ERRORS, *malformed(), KeyError(SECRET), OSError(2, SECRET)], ids=lambda error: type(error).__name__
)
def test_no_exception_s_text_becomes_public(error: Exception) -> None:
    verdict = judge(error, Past(9, 99), POLICY)
    for public in (verdict.public_message, verdict.code, verdict.reason):
        assert not any(word in public for word in SECRET.split())
    assert verdict.public_message.endswith(".")
