"""Faults of what somebody sent. They are the outcome of their job: nothing for an administrator, and no dead letter."""

import hashlib

import structlog
from aio_pika.abc import AbstractIncomingMessage
from faststream.rabbit import RabbitBroker

from shared.errors import InvalidSourceError
from shared.events import STAGES, Message, SourceRefused, Stage
from shared.messaging.content import content_of
from shared.messaging.publish import Publisher, message_id
from shared.messaging.submissions import invalid_submission, is_submission
from shared.messaging.topology import SUBMISSIONS

log = structlog.get_logger()


async def refused(broker: RabbitBroker, queue: str, message: AbstractIncomingMessage, error: Exception) -> bool:
    """Whether `error` is the outcome of a job, which is told then. Raises BrokerError when it cannot be told now."""
    if queue == SUBMISSIONS.name and is_submission(message, queue) and invalid_submission(message, error):
        log.warning("invalid submission left to the gateway, which has a copy", error=type(error).__name__)
        return True
    stage = stage_of(queue)
    if stage is None or not isinstance(error, InvalidSourceError):
        return False
    event = refusal(stage, message, error)
    parts = (stage, hashlib.sha256(message.body).hexdigest()[:12])  # several units of a job may be refused
    await Publisher(broker, stage)(event, message_id=message_id(event, *parts))
    log.warning("source refused", queue=queue, code=error.code, error=str(error)[:500])
    return True


def stage_of(queue: str) -> Stage | None:
    """The stage that a work queue belongs to."""
    service = queue.partition(".")[0]
    return next((stage for stage in STAGES if stage == service), None)


def refusal(stage: Stage, message: AbstractIncomingMessage, error: InvalidSourceError) -> SourceRefused:
    """The fact that the source of the message's job cannot be used."""
    content = content_of(message.body, message.content_type).data
    job = Message.model_validate({**content, "job_id": str(content["job_id"]).lower()}).job()
    return SourceRefused(
        **job,
        stage=stage,
        code=error.code,
        message=error.public_message[:1000],
        retry_helps=error.retry_helps,
    )
