"""Dead letters over the run's own broker and database, with the API in this process."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aio_pika
import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider
from pydantic import SecretStr

from services.gateway.auth import routes as auth_routes
from services.gateway.auth.authentication import Authentication
from services.gateway.auth.keys import ApiKeys, Identity
from services.gateway.auth.sessions import Sessions
from services.gateway.dead_letters import routes
from services.gateway.dead_letters.letter import dead_letter_of
from services.gateway.dead_letters.office import DeadLetterOffice, open_office
from services.gateway.problems import install_problem_handlers
from shared.circuit import Circuits
from shared.database import Database, open_database
from shared.messaging.broker import create_broker
from shared.messaging.headers import CODE, HISTORY, PUBLIC_MESSAGE, REASON
from shared.messaging.topology import (
    BURIALS,
    DEAD_LETTERS_EXCHANGE,
    GUIDES,
    PAGES,
    SPEECH,
    SUBMISSIONS,
    declare_topology,
)
from shared.settings import SharedSettings
from shared.storage.local import LocalObjectStore

KEY, USERS_KEY = "lk_administrator-of-this-test", "lk_user-of-this-test-and-no-more"
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
USED = (GUIDES, PAGES, SPEECH, SUBMISSIONS)
BURIED_BY_SERVICE: dict[str, Any] = {
    REASON: "attempts-exhausted",
    CODE: "engine",
    PUBLIC_MESSAGE: "A processing engine failed on this file.",
    HISTORY: '[{"at": "2026-03-01T09:35:02.114+00:00", "queue": "q", "attempt": 1, "error": "E", "text": "busy"}]',
    "traceparent": TRACEPARENT,
}


@dataclass
class Desk:
    """The office, its API as an administrator sees it, and the broker's other end."""

    settings: SharedSettings
    database: Database
    store: LocalObjectStore
    office: DeadLetterOffice
    client: httpx.AsyncClient
    app: FastAPI
    learned: list[tuple[str, str, int]] = field(default_factory=list)

    async def connect(self) -> aio_pika.abc.AbstractConnection:
        return await aio_pika.connect(self.settings.amqp_url.get_secret_value())

    async def learn(self, job_id: str, letter: str, replays: int) -> None:
        self.learned.append((job_id, letter, replays))

    def another_office(self) -> DeadLetterOffice:
        return open_office(self.database, self.store, self.connect, self.learn)

    def as_user(self) -> httpx.AsyncClient:
        return self._client({"Authorization": f"Bearer {USERS_KEY}"})

    def anonymous(self) -> httpx.AsyncClient:
        return self._client({})

    def _client(self, headers: dict[str, str]) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://lectern.test", headers=headers)

    async def publish(self, queue: str, *messages: aio_pika.Message) -> None:
        """Put messages straight into a queue."""
        async with await self.connect() as connection:
            channel = await connection.channel()
            for message in messages:
                await channel.default_exchange.publish(message, queue)

    async def bury(self, queue: str, *messages: aio_pika.Message) -> None:
        """Give messages up as a service does, and let the office keep them."""
        async with await self.connect() as connection:
            channel = await connection.channel()
            exchange = await channel.get_exchange(DEAD_LETTERS_EXCHANGE.name)
            for message in messages:
                await exchange.publish(message, queue)
        await self.collect(len(messages))

    async def collect(self, count: int) -> None:
        """Take `count` burials as the gateway's consumer does."""
        async with await self.connect() as connection:
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=16)
            burials = await channel.get_queue(BURIALS.name, ensure=False)
            async with burials.iterator(timeout=30) as found:
                for _ in range(count):
                    message = await anext(found)
                    await self.office.letters.keep(dead_letter_of(message))
                    await message.ack()

    async def take(self, queue: str) -> aio_pika.abc.AbstractIncomingMessage:
        """The next message of a queue, waited for."""
        async with await self.connect() as connection:
            channel = await connection.channel()
            source = await channel.get_queue(queue, ensure=False)
            async with source.iterator(timeout=30) as found:
                message = await anext(found)
                await message.ack()
                return message

    async def depth(self, queue: str) -> int:
        async with await self.connect() as connection:
            channel = await connection.channel()
            declared = await channel.declare_queue(queue, passive=True)
            return declared.declaration_result.message_count or 0

    async def listed(self, **query: Any) -> list[dict[str, Any]]:
        answer = await self.client.get("/v1/dead-letters", params=query)
        assert answer.status_code == 200, answer.text
        letters: list[dict[str, Any]] = answer.json()["dead_letters"]
        return letters


def letter(job_id: str = "job-00000001", message_id: str = "m-1", **headers: Any) -> aio_pika.Message:
    return aio_pika.Message(
        f'{{"job_id": "{job_id}", "run": 1}}'.encode(),
        message_id=message_id,
        content_type="application/json",
        correlation_id=job_id,
        type="lectern.test.v1",
        delivery_mode=2,
        headers={**BURIED_BY_SERVICE, **headers},
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def topology(rabbitmq: Any) -> str:
    settings = SharedSettings(amqp_url=SecretStr(rabbitmq.url), retry_delays_s=(0.1,))
    broker = create_broker(settings, TracerProvider(), "test", Circuits({}))
    await broker.connect()
    await declare_topology(broker, settings.retry_delays_s)
    await broker.stop()
    return str(rabbitmq.url)


@pytest_asyncio.fixture(loop_scope="session")
async def desk(topology: str, mongo_url: str, database_name: str, tmp_path: Path) -> AsyncIterator[Desk]:
    settings = SharedSettings(
        home=tmp_path,
        amqp_url=SecretStr(topology),
        mongo_url=SecretStr(mongo_url),
        mongo_prefix=database_name,
        retry_delays_s=(0.1,),
        shutdown_s=5,
    )
    async with await aio_pika.connect(topology) as connection:
        channel = await connection.channel()
        for name in (BURIALS.name, *(name for queue in USED for name in (queue.name, queue.dead_letters))):
            await (await channel.get_queue(name, ensure=False)).purge()
    async with open_database(settings, "gateway") as database:
        found = await _desk(settings, database)
        async with found.client:
            yield found


async def _desk(settings: SharedSettings, database: Database) -> Desk:
    store = LocalObjectStore(settings.home)
    app = FastAPI()
    install_problem_handlers(app)
    app.include_router(routes.router)
    app.include_router(auth_routes.router)
    app.add_middleware(Authentication)

    async def connect() -> aio_pika.abc.AbstractConnection:
        return await aio_pika.connect(settings.amqp_url.get_secret_value())

    learned: list[tuple[str, str, int]] = []

    async def learn(job_id: str, letter: str, replays: int) -> None:
        learned.append((job_id, letter, replays))

    office = open_office(database, store, connect, learn, trace_url="http://traces.test/trace/{trace_id}")
    keys = ApiKeys(database)
    sessions = Sessions(database, keys, session_s=3600, link_s=60)
    await office.letters.prepare()
    await keys.register(KEY, Identity("local", administrator=True))
    await keys.register(USERS_KEY, Identity("ana"))
    app.state.gateway = SimpleNamespace(dead_letters=office, keys=keys, sessions=sessions)
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False),
        base_url="http://lectern.test",
        headers={"Authorization": f"Bearer {KEY}"},
    )
    return Desk(settings, database, store, office, client, app, learned)


@pytest.fixture
def make_letter() -> Any:
    return letter
