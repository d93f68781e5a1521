"""Which dead letters fail a job, and with what words."""

from typing import Any

import pytest

from services.gateway.dead_letters.letter import DeadLetter, Properties
from services.gateway.jobs.facts import Failure
from services.gateway.jobs.handlers import failed_stage, failure_of
from services.gateway.jobs.received import event_of
from shared.errors import InvalidMessageError, LecternError
from shared.events import JobDeleted
from shared.messaging.logs import job_of
from shared.messaging.topology import WORK_QUEUES


def test_only_work_of_the_stages_fails_a_job() -> None:
    failing = {queue.name for queue in WORK_QUEUES if failed_stage(queue.name)}
    assert failing == {
        "ingest.submissions",
        "transcription.sources",
        "transcription.speech",
        "transcription.slides",
        "transcription.pages",
        "analysis.documents",
        "rendering.guides",
    }


BODY = b'{"job_id": "job-00000001", "run": 3}'


def _told(queue: str, body: bytes = BODY, source: str | None = "/lectern/ingest", **headers: Any) -> Failure | None:
    names = {f"x-{name.replace('_', '-')}": value for name, value in headers.items()}
    letter = DeadLetter(
        letter="a" * 24,
        replays=names.get("x-lectern-replays", 0),
        queue=queue,
        job_id=job_of(body),
        reason=names.get("x-lectern-reason", "delivery-limit"),
        code=names.get("x-lectern-code", "internal"),
        public_message=names.get("x-lectern-public-message", LecternError.default_message),
        attempts=1,
        history=(),
        trace_id=None,
        body=body,
        headers={"cloudEvents_source": source} if source else {},
        properties=Properties(),
    )
    return failure_of(letter)


def test_a_service_says_why() -> None:
    assert _told(
        "transcription.pages",
        lectern_reason="permanent-error",
        lectern_code="invalid_source",
        lectern_public_message="Damaged.",
        lectern_replays=2,
    ) == Failure("transcription", "transcription.pages", "invalid_source", "Damaged.", 3, "a" * 24, 2)


def test_the_gateways_own_dead_letters_fail_nothing() -> None:
    assert _told("gateway.progress", lectern_reason="invalid-message") is None
    assert _told("nobody.knows") is None


@pytest.mark.parametrize(("source", "fails"), [("/lectern/ingest", True), ("/lms", False), (None, False)])
def test_what_a_stranger_wrote_and_nobody_can_read_fails_no_job(source: str | None, fails: bool) -> None:
    told = _told("ingest.submissions", source=source, lectern_reason="invalid-message")
    assert (told is not None) == fails


def test_a_stranger_s_job_that_is_not_allowed_fails() -> None:
    assert _told("ingest.submissions", source=None, lectern_reason="permanent-error") is not None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"9" * 5000, b'{"job_id": 7}', b'{"run": 2}'])
def test_a_dead_letter_that_names_no_job_fails_none(body: bytes) -> None:
    assert _told("ingest.submissions", body, lectern_reason="attempts-exhausted") is None


@pytest.mark.parametrize("run", [b"0", b"-1", b"true", b'"2"', b"1e9", b"null", b"100000"])
def test_a_run_that_cannot_be_is_the_first(run: bytes) -> None:
    told = _told("ingest.submissions", b'{"job_id": "job-00000001", "run": %s}' % run)
    assert told is not None
    assert told.run == 1


def test_an_event_is_known_by_its_key_or_by_its_type() -> None:
    body = {"job_id": "job-00000001"}
    assert isinstance(event_of("job.deleted.v1", None, body), JobDeleted)
    assert isinstance(event_of("gateway.progress", "job.deleted.v1", body), JobDeleted)
    with pytest.raises(InvalidMessageError):
        event_of("gateway.progress", None, body)
