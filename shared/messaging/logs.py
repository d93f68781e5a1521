"""What a message's body says of its job: for log lines and spans, and for dead letters. Anybody may have written it."""

from dataclasses import dataclass
from typing import Any

from shared.events import STAGES
from shared.messaging.content import content_of, content_whatever_its_type
from shared.messaging.verdict import UnreadableMessageError


@dataclass(frozen=True)
class SaidOfJob:
    """What could be read; None where the body does not say."""

    job_id: str | None = None
    run: int = 1
    owner: str | None = None
    stage: str | None = None
    unit: str | None = None


def said_of_job(body: bytes, content_type: str | None = None) -> SaidOfJob:
    """What a message's body says of its job. Ids are in lower case, however they were written."""
    data = _data(body, content_type)
    job_id, run, stage = _text(data.get("job_id"), 64), data.get("run"), data.get("stage")
    return SaidOfJob(
        job_id=job_id.lower() if job_id is not None else None,
        run=run if isinstance(run, int) and 1 <= run <= 1000 else 1,
        owner=_text(data.get("owner"), 100),
        stage=stage if stage in STAGES else None,
        unit=_text(data.get("unit"), 64),
    )


def job_of(body: bytes, content_type: str | None = None) -> str | None:
    """The job a message's body speaks of; None where it does not."""
    return said_of_job(body, content_type).job_id


def run_of_body(body: bytes, content_type: str | None = None) -> int:
    """The run of the job that a message's body speaks of; 1 where it does not say."""
    return said_of_job(body, content_type).run


def _text(value: object, longest: int) -> str | None:
    return value if isinstance(value, str) and len(value) <= longest and value.isascii() else None


def _data(body: bytes, content_type: str | None) -> dict[str, Any]:
    try:
        return content_of(body, content_type).data
    except UnreadableMessageError:
        content = content_whatever_its_type(body)
        return content.data if content else {}
