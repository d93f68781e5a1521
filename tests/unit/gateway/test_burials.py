"""Which dead letters fail a job, and with what words."""

from typing import Any

import pytest

from services.gateway.jobs.handlers import event_of, failed_stage, failure_of
from shared.errors import InvalidMessageError, LecternError
from shared.events import JobDeleted
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


def _told(routing_key: str | None, **headers: Any) -> dict[str, Any] | None:
    names = {f"x-{name.replace('_', '-')}": value for name, value in headers.items()}
    addition = failure_of(routing_key, names)
    return addition.members["facts.failures"] if addition else None


def test_a_service_says_why() -> None:
    assert _told(
        "transcription.pages",
        lectern_queue="transcription.pages",
        lectern_reason="permanent-error",
        lectern_code="invalid_source",
        lectern_public_message="Damaged.",
    ) == {"stage": "transcription", "queue": "transcription.pages", "code": "invalid_source", "message": "Damaged."}


@pytest.mark.parametrize("leftover", [{}, {"lectern_reason": "retry", "lectern_public_message": "An older attempt."}])
def test_what_the_broker_buried_has_no_words_of_its_own(leftover: dict[str, Any]) -> None:
    told = _told("rendering.guides", first_death_queue="rendering.guides", **leftover)
    assert told is not None
    assert told["message"] == LecternError.default_message


def test_the_gateways_own_dead_letters_fail_nothing() -> None:
    assert _told("gateway.progress", lectern_queue="gateway.progress", lectern_reason="invalid-message") is None
    assert _told(None) is None


def test_an_event_is_known_by_its_key_or_by_its_type() -> None:
    body = {"job_id": "job-00000001"}
    assert isinstance(event_of("job.deleted.v1", None, body), JobDeleted)
    assert isinstance(event_of("gateway.progress", "job.deleted.v1", body), JobDeleted)
    with pytest.raises(InvalidMessageError):
        event_of("gateway.progress", None, body)
