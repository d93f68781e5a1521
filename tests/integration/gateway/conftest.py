"""A gateway in this process over real storage and a real database; only the broker is recorded."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aio_pika
import httpx
import pytest
import pytest_asyncio
from opentelemetry import trace

from services.gateway.app import assemble, prepare, projection_of, routes_only
from services.gateway.jobs.handlers import Projection
from services.gateway.jobs.sweeper import Sweeper, Times
from services.gateway.jobs.watchdog import Limits, Watchdog
from services.gateway.parts import Gateway
from services.gateway.settings import GatewaySettings
from shared.commands import Command
from shared.database import Database, open_database
from shared.errors import BrokerError
from shared.events import Event
from shared.settings import SharedSettings
from shared.storage.local import LocalObjectStore
from shared.telemetry import start_tracing
from tests.integration.gateway.browsing import open_browser


@dataclass
class RecordingPublisher:
    sent: list[tuple[str, Event | Command]] = field(default_factory=list)
    away: bool = False
    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def __call__(self, message: Event | Command, *, message_id: str) -> None:
        if self.meanwhile is not None:
            await self.meanwhile()
        if self.away:
            raise BrokerError("away")
        self.sent.append((message_id, message))


@dataclass
class Served:
    gateway: Gateway
    projection: Projection
    publisher: RecordingPublisher
    client: httpx.AsyncClient
    database: Database
    home: Path
    key: str

    def sweeper(self, *, silent_s: float = 3600.0, waiting: int = 0, **times: Any) -> Sweeper:
        """A sweeper of this gateway that nothing runs; `waiting` messages are said to lie in each queue."""

        async def count(_queues: tuple[str, ...]) -> int:
            return waiting

        parts = self.gateway
        limits = Limits(ingest_s=silent_s, transcription_s=silent_s, analysis_s=silent_s, rendering_s=silent_s)
        watchdog = Watchdog(parts.read_model, parts.outlook, parts.admission, count, limits)
        found = Times(pause_s=1, untold_s=0, **times)
        return Sweeper(
            parts.read_model,
            parts.outlook,
            parts.admission,
            parts.lifecycle,
            parts.ends,
            watchdog,
            parts.store,
            found,
        )

    def uploads(self) -> list[Path]:
        return [path for path in (self.home / "objects").rglob("*") if path.is_file()] + list(
            (self.home / "partial").iterdir()
        )


@pytest.fixture(scope="session", autouse=True)
def tracing() -> None:
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        start_tracing("gateway")


@pytest.fixture
def gateway_settings() -> GatewaySettings:
    return GatewaySettings(max_upload_bytes=3_000_000, allowed_hosts=("lectern.test",), poll_s=0.05, heartbeat_s=0.2)


@pytest_asyncio.fixture(loop_scope="session")
async def served(
    tmp_path: Path, mongo_url: str, database_name: str, gateway_settings: GatewaySettings
) -> AsyncIterator[Served]:
    shared = SharedSettings(home=tmp_path, mongo_url=mongo_url, mongo_prefix=database_name)
    async with open_database(shared, "gateway") as database:
        publisher = RecordingPublisher()
        gateway = assemble(gateway_settings, shared, LocalObjectStore(tmp_path), database, publisher)
        await prepare(gateway, shared, database)
        app = routes_only()
        app.state.gateway = gateway
        key = (tmp_path / "api-key").read_text().strip()
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False),
            base_url="http://lectern.test",
            headers={"Authorization": f"Bearer {key}"},
        ) as client:
            yield Served(gateway, projection_of(gateway), publisher, client, database, tmp_path, key)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Process:
    url: str
    home: Path
    environment: dict[str, str]
    child: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        log = (self.home / "gateway.log").open("ab")
        self.child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.gateway", env=self.environment, stderr=log, stdout=log
        )
        log.close()
        async with httpx.AsyncClient(base_url=self.url) as client:
            for _ in range(1200):
                try:
                    if (await client.get("/health/ready")).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.1)
        raise AssertionError((self.home / "gateway.log").read_text()[-3000:])

    async def end(self, number: int = signal.SIGTERM) -> None:
        assert self.child is not None
        if self.child.returncode is None:
            self.child.send_signal(number)
        await asyncio.wait_for(self.child.wait(), 30)

    def client(self) -> httpx.AsyncClient:
        key = (self.home / "api-key").read_text().strip()
        return httpx.AsyncClient(base_url=self.url, headers={"Authorization": f"Bearer {key}"}, timeout=30)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, rabbitmq: Any, mongo_url: str
) -> AsyncIterator[Process]:
    """A gateway, with the settings in `ENVIRONMENT` of the module of tests where there is one."""
    tmp_path = tmp_path_factory.mktemp("gateway")
    port = free_port()
    environment = {
        **os.environ,
        "LECTERN_HOME": str(tmp_path),
        "LECTERN_AMQP_URL": rabbitmq.url,
        "LECTERN_MONGO_URL": mongo_url,
        "LECTERN_MONGO_PREFIX": f"test_{port}",
        "GATEWAY_PORT": str(port),
        "GATEWAY_MAX_UPLOAD_BYTES": "200000000",
        **getattr(request.module, "ENVIRONMENT", {}),
    }
    process = Process(f"http://127.0.0.1:{port}", tmp_path, environment)
    await process.start()
    yield process
    await process.end()


@pytest_asyncio.fixture(loop_scope="session")
async def process(running: Process) -> Process:
    assert running.child is not None
    if running.child.returncode is not None:
        await running.start()
    return running


async def _publish(url: str, event: Event) -> None:
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange("lectern.events")
        body = event.model_dump_json().encode()
        message = aio_pika.Message(body, content_type="application/json")
        await exchange.publish(message, event.routing_key)


@pytest.fixture
def publish(rabbitmq: Any) -> Callable[[Event], Awaitable[None]]:
    """Publishes an event as any other system would."""
    return lambda event: _publish(rabbitmq.url, event)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    """A browser of this test alone."""
    with open_browser(tmp_path / "profile") as driver:
        yield driver
