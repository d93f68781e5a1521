"""What becomes of a failed message, and what its owner is told of it (PIP-4, PIP-6)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared import errors, media
from shared.errors import LecternError
from shared.events import JobDeleted
from shared.messaging.delivery import Verdict

DELAYS_S = (5.0, 30.0, 120.0)
SECRET = "/srv/secret mongodb://user:hunter2@host Traceback"
ERRORS: list[LecternError] = [
    errors.InvalidSourceError("This file is empty.", internal=SECRET),
    errors.SourceTooLargeError("This file is too large.", internal=SECRET),
    errors.InvalidMessageError(SECRET),
    errors.StorageError(SECRET),
    errors.ObjectNotFoundError(SECRET),
    errors.DatabaseError(SECRET),
    errors.BrokerError(SECRET),
    errors.EngineError(SECRET),
    errors.EngineTimeoutError(SECRET),
    errors.PipelineError(SECRET),
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


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_the_kind_of_fault_decides_between_retry_and_burial(error: LecternError) -> None:
    verdict = Verdict(error, 1, DELAYS_S)
    assert (verdict.reason, verdict.delay_s) == (("retry", 5.0) if error.retryable else ("permanent-error", None))
    assert verdict.code == error.code


@pytest.mark.parametrize("error", malformed(), ids=lambda error: type(error).__name__)
def test_malformed_messages_are_buried_at_once(error: Exception) -> None:
    verdict = Verdict(error, 1, DELAYS_S)
    assert (verdict.reason, verdict.delay_s, verdict.code) == ("invalid-message", None, "invalid_message")


@given(st.integers(1, 50), st.lists(st.floats(0.1, 600), min_size=1, max_size=8).map(tuple))
def test_attempts_wait_for_each_delay_in_turn_and_then_end(attempt: int, delays_s: tuple[float, ...]) -> None:
    verdict = Verdict(errors.EngineError("busy"), attempt, delays_s)
    if attempt <= len(delays_s):
        assert (verdict.reason, verdict.delay_s) == ("retry", delays_s[attempt - 1])
    else:
        assert (verdict.reason, verdict.delay_s) == ("attempts-exhausted", None)


def test_a_bug_is_retried_and_told_as_one() -> None:
    verdict = Verdict(KeyError(SECRET), 1, DELAYS_S)
    assert (verdict.reason, verdict.code) == ("retry", "internal")
    assert verdict.public_message == LecternError.default_message


@pytest.mark.parametrize(
    "error", [*ERRORS, *malformed(), KeyError(SECRET), OSError(2, SECRET)], ids=lambda error: type(error).__name__
)
def test_no_exception_s_text_becomes_public(error: Exception) -> None:
    verdict = Verdict(error, 9, DELAYS_S)
    for public in (verdict.public_message, verdict.code, verdict.reason):
        assert not any(word in public for word in SECRET.split())
    assert verdict.public_message.endswith(".")
