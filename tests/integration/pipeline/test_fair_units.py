"""A long lecture does not stand before another's first unit, on a real broker; lanes follow the consumers there are."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aio_pika
import pytest

from services.transcription import app
from services.transcription.adapters.lanes import LanePerConsumer
from services.transcription.domain.results import AssembledSource
from services.transcription.speech.recognise import SpeechUnit
from shared.documents import Source, SourceDocument
from shared.errors import BrokerError
from shared.events import Message, SourceFacts, SourceIngested, SourceTranscribed, SpeechPiece
from shared.messaging.publish import message_id
from shared.messaging.topology import EVENTS_EXCHANGE, SPEECH
from shared.service import Parts, consuming, open_parts
from shared.settings import SharedSettings
from shared.storage import ObjectStore

WITHIN_S = 60.0
DOCUMENT = SourceDocument(
    kind="recording", source=Source(name="a.wav", media_type="audio/wav", size=1, sha256="0" * 64), duration_s=1.0
)


class Engine:
    """Every engine; notes the sound it was given, and hears nothing before it may."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.began = asyncio.Event()
        self.may_go_on = asyncio.Event()

    async def transcribe(self, audio: Path, start_s: float, language: str) -> SpeechUnit:
        self.heard.append(await asyncio.to_thread(audio.read_text))
        self.began.set()
        await self.may_go_on.wait()
        return SpeechUnit(language=language, engine="none")

    async def assemble(self, plan: SourceIngested, units: dict[str, bytes]) -> AssembledSource:
        assert len(units) == plan.units()
        return AssembledSource(DOCUMENT)


@asynccontextmanager
async def replica(settings: SharedSettings, engine: Any, lanes: int = 0) -> AsyncIterator[Parts]:
    async def build(parts: Parts) -> None:
        await app.build(app.Engines(engine, engine, engine, engine), parts, lanes)

    async with open_parts("transcription", settings) as parts, consuming(parts, build):
        async with asyncio.timeout(WITHIN_S):
            while not parts.health.started:
                await asyncio.sleep(0.02)
        yield parts


async def ingested(store: ObjectStore, name: str, units: int) -> SourceIngested:
    pieces = [
        SpeechPiece(
            number=n,
            start_s=n,
            end_s=n + 1,
            audio=await store.put_bytes(f"ingest/{name}/{n}.wav", f"{name} {n}".encode(), "audio/wav"),
        )
        for n in range(1, units + 1)
    ]
    return SourceIngested(
        job_id=f"job-{name}",
        facts=SourceFacts(kind="recording", name="a.wav"),
        original=pieces[0].audio,
        source=pieces[0].audio,
        speech=tuple(pieces),
    )


async def submit(parts: Parts, name: str, units: int) -> None:
    event = await ingested(parts.store, name, units)
    await parts.publish(event, message_id=message_id(event))


async def waiting_units(url: str, number: int) -> None:
    connection = await aio_pika.connect(url)
    async with connection, asyncio.timeout(WITHIN_S):
        channel = await connection.channel()
        while (await channel.declare_queue(SPEECH.name, passive=True)).declaration_result.message_count != number:
            await asyncio.sleep(0.02)


@asynccontextmanager
async def transcribed(url: str) -> AsyncIterator[Any]:
    """A function that returns the ids of jobs, in the order in which they become whole, as many as asked for."""
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(EVENTS_EXCHANGE.name, SourceTranscribed.routing_key)

        async def take(number: int) -> list[str]:
            found: list[str] = []
            async with asyncio.timeout(WITHIN_S), queue.iterator(no_ack=True) as messages:
                async for message in messages:
                    found.append(Message.model_validate_json(message.body).job_id)
                    if len(found) == number:
                        break
            return found

        yield take


async def test_another_jobs_first_unit_comes_next(settings: SharedSettings) -> None:
    url, engine = settings.amqp_url.get_secret_value(), Engine()
    async with replica(settings, engine) as parts, transcribed(url) as take:
        await submit(parts, "long1", units=12)
        await asyncio.wait_for(engine.began.wait(), WITHIN_S)
        await waiting_units(url, 0)
        await submit(parts, "short", units=2)
        await waiting_units(url, 1)
        engine.may_go_on.set()
        assert await take(2) == ["job-short", "job-long1"]
    assert engine.heard[:4] == ["long1 1", "short 1", "long1 2", "short 2"]
    assert engine.heard[4:] == [f"long1 {number}" for number in range(3, 13)]


async def test_a_source_has_as_many_units_in_hand_as_it_has_lanes(settings: SharedSettings) -> None:
    url, engine = settings.amqp_url.get_secret_value(), Engine()
    async with replica(settings, engine, lanes=3) as parts, transcribed(url) as take:
        await submit(parts, "long1", units=8)
        await asyncio.wait_for(engine.began.wait(), WITHIN_S)
        await waiting_units(url, 2)
        engine.may_go_on.set()
        assert await take(1) == ["job-long1"]
    assert sorted(engine.heard) == [f"long1 {number}" for number in range(1, 9)]


async def test_lanes_follow_the_consumers_there_are(settings: SharedSettings) -> None:
    async with replica(settings, Engine()) as first:
        count = LanePerConsumer(first.broker)
        assert await count(SPEECH.name) == 1
        async with replica(settings, Engine()):
            assert await count(SPEECH.name) == 2
        assert await count(SPEECH.name) == 1
        assert await count(f"{SPEECH.name}.dlq") == 1  # nobody listens there
        with pytest.raises(BrokerError):
            await count("transcription.unheard-of")
        assert await count(SPEECH.name) == 1
