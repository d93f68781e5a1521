"""Tells other systems that a job has ended: at least once, each end under one message id."""

import asyncio

import structlog

from services.gateway.jobs.admission import PUBLISH_S, trace_of
from services.gateway.jobs.ended import ENDS
from services.gateway.jobs.read_model import ReadModel
from shared.database import Document
from shared.errors import BrokerError, DatabaseError
from shared.events import JobEnded
from shared.messaging.publish import Publish

log = structlog.get_logger()


class Ends:
    """Publishes what `ended.py` put into the documents. Several gateways may tell the same end."""

    def __init__(self, read_model: ReadModel, publish: Publish) -> None:
        self._read_model = read_model
        self._publish = publish

    async def tell_soon(self, document: Document) -> None:
        """Tell the ends in `document` that are untold, if that is quick; the sweeper does what cannot be done now."""
        if ENDS not in document:
            return
        try:
            await asyncio.wait_for(self.tell(document), PUBLISH_S)
        except (BrokerError, DatabaseError, TimeoutError) as error:
            log.warning("the end is told later", job_id=document["_id"], error=str(error)[:300])

    async def tell(self, document: Document) -> None:
        """Tell the ends in `document`; safe to repeat. Raises BrokerError and DatabaseError."""
        with trace_of(document):
            for fact in document[ENDS]["facts"]:
                await self._publish(JobEnded.model_validate(fact["event"]), message_id=fact["id"])
            await self._read_model.told(document)
