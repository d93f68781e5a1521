"""A product that crashes its engine, through the tiers to the end: the handout is partial, or the job fails (PIP-2)."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import aio_pika
import pytest
import pytest_asyncio
from pydantic import BaseModel, SecretStr

from deploy.local.rabbitmq import RabbitNode
from services.rendering.app import build
from services.rendering.domain.render_handout import RenderedFile, RenderRequest
from shared.documents import Engine, Source, SourceDocument, StudyGuide, Transcript
from shared.engine_process import EngineProcess
from shared.events import HandoutRendered, Parameters, SourceAnalysed
from shared.messaging.broker import drain
from shared.messaging.headers import ATTEMPT, CODE, PUBLIC_MESSAGE, REASON
from shared.messaging.publish import message_id
from shared.messaging.topology import EVENTS_EXCHANGE, GUIDES, declare_topology
from shared.service import Parts, open_parts
from shared.settings import SharedSettings
from shared.time_limits import TimeLimits
from tests.integration.shared.conftest import RETRY_DELAYS_S, clear

ATTEMPTS = len(RETRY_DELAYS_S) + 1
PRODUCTS = ("pdf", "html", "markdown", "captions", "data")  # of a recording without pictures
WITHIN_S = 60


@dataclass
class CrashingEngine:
    """A file for each product; the process dies of HTML while it is `broken`."""

    broken: bool = True
    asked: Counter[str] = field(default_factory=Counter)
    process: EngineProcess = field(default_factory=EngineProcess)

    async def render(self, request: RenderRequest) -> list[RenderedFile]:
        self.asked[request.product] += 1
        if self.broken and request.product == "html":
            await self.process.run(TimeLimits.of(WITHIN_S), os._exit, 1)
        request.output.mkdir(exist_ok=True)
        path = request.output / f"{request.product}.txt"
        path.write_text(request.product)
        return [RenderedFile(name=path.name, media_type="text/plain", path=path)]


@dataclass
class Rendering:
    """The running service and what it says."""

    parts: Parts
    engine: CrashingEngine
    events: aio_pika.abc.AbstractQueue
    dead_letters: aio_pika.abc.AbstractQueue

    async def publish(self, event: SourceAnalysed) -> None:
        await self.parts.publish(event, message_id=message_id(event))

    async def rendered(self) -> HandoutRendered:
        return HandoutRendered.model_validate_json((await take(self.events)).body)

    async def contents(self, rendered: HandoutRendered) -> list[str]:
        return [(await self.parts.store.read(artifact.object.key)).decode() for artifact in rendered.artifacts]


async def take(queue: aio_pika.abc.AbstractQueue) -> aio_pika.abc.AbstractIncomingMessage:
    """The next message, as soon as it comes."""
    async with asyncio.timeout(WITHIN_S), queue.iterator(no_ack=True) as messages:
        return await anext(messages)


@pytest.fixture
def engine() -> Iterator[CrashingEngine]:
    engine = CrashingEngine()
    yield engine
    engine.process.kill()


@pytest_asyncio.fixture
async def rendering(
    rabbitmq: RabbitNode, mongo_url: str, database_name: str, tmp_path: Path, engine: CrashingEngine
) -> AsyncIterator[Rendering]:
    await clear(rabbitmq.url)
    settings = SharedSettings(
        home=tmp_path,
        amqp_url=SecretStr(rabbitmq.url),
        mongo_url=SecretStr(mongo_url),
        mongo_prefix=database_name,
        retry_delays_s=RETRY_DELAYS_S,
        shutdown_s=5,
    )
    async with open_parts("rendering", settings) as parts, await aio_pika.connect(rabbitmq.url) as connection:
        await parts.broker.connect()
        await declare_topology(parts.broker, settings.retry_delays_s)
        await build(engine, parts)
        await parts.broker.start()
        channel = await connection.channel()
        events = await channel.declare_queue(exclusive=True)
        await events.bind(EVENTS_EXCHANGE.name, HandoutRendered.routing_key)
        yield Rendering(parts, engine, events, await channel.get_queue(GUIDES.dead_letters))
        await drain(parts.broker, settings.shutdown_s)
    await clear(rabbitmq.url)


@pytest_asyncio.fixture
async def analysed(rendering: Rendering) -> SourceAnalysed:
    store = rendering.parts.store
    source = Source(name="a.mp3", media_type="audio/mpeg", size=4, sha256="0" * 64)
    models: dict[str, BaseModel] = {
        "document": SourceDocument(kind="recording", source=source, duration_s=60.0),
        "guide": StudyGuide(title="Rivers", engine=Engine(name="none", offline=True)),
        "transcript": Transcript(language="en", duration_s=60.0, engine="none", segments=()),
    }
    stored = {
        name: await store.put_bytes(f"elsewhere/{name}.json", model.model_dump_json().encode(), "application/json")
        for name, model in models.items()
    }
    return SourceAnalysed(job_id="job-00001", **stored)


async def test_what_crashes_to_the_last_attempt_is_missing_until_the_job_is_retried(
    rendering: Rendering, analysed: SourceAnalysed
) -> None:
    await rendering.publish(analysed)
    partial = await rendering.rendered()
    assert rendering.engine.asked == Counter(PRODUCTS) + Counter(html=ATTEMPTS - 1)
    assert await rendering.contents(partial) == [product for product in PRODUCTS if product != "html"]
    (missing,) = partial.missing
    assert missing.startswith("The web page (HTML) could not be made. ")

    rendering.engine.broken = False
    rendering.engine.asked.clear()
    await rendering.publish(analysed)
    assert await rendering.rendered() == partial, "a redelivery says what was said"
    assert rendering.engine.asked == Counter()

    await rendering.publish(analysed.model_copy(update={"run": 2}))
    complete = await rendering.rendered()
    assert rendering.engine.asked == Counter(["html"])
    assert (complete.run, complete.missing) == (2, ())
    assert await rendering.contents(complete) == list(PRODUCTS)


async def test_a_required_product_that_crashes_to_the_last_attempt_fails_the_job(
    rendering: Rendering, analysed: SourceAnalysed
) -> None:
    required = analysed.model_copy(update={"parameters": Parameters(required=("pdf", "html"))})
    await rendering.publish(required)
    letter = await take(rendering.dead_letters)
    assert SourceAnalysed.model_validate_json(letter.body) == required
    assert letter.headers[REASON] == "attempts-exhausted"
    assert letter.headers[ATTEMPT] == ATTEMPTS
    assert letter.headers[CODE] == "engine"
    assert letter.headers[PUBLIC_MESSAGE] == "A processing engine failed on this file."
    assert rendering.engine.asked == Counter(PRODUCTS) + Counter(html=ATTEMPTS - 1)

    rendering.engine.broken = False
    await rendering.publish(required.model_copy(update={"run": 2}))
    complete = await rendering.rendered()
    assert rendering.engine.asked == Counter(PRODUCTS) + Counter(html=ATTEMPTS)
    assert await rendering.contents(complete) == list(PRODUCTS)
