"""A gateway in this process over real storage and a real database; only the broker is recorded."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from opentelemetry import trace

from services.gateway.app import assemble, prepare, routes_only
from services.gateway.jobs.handlers import Projection
from services.gateway.parts import Gateway
from services.gateway.settings import GatewaySettings
from shared.database import Database, open_database
from shared.errors import BrokerError
from shared.events import Command, Event
from shared.settings import SharedSettings
from shared.storage.local import LocalObjectStore
from shared.telemetry import start_tracing


@dataclass
class RecordingPublisher:
    sent: list[tuple[str, Event | Command]] = field(default_factory=list)
    away: bool = False

    async def __call__(self, message: Event | Command, *, message_id: str) -> None:
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
    return GatewaySettings(max_upload_bytes=3_000_000, poll_s=0.05, heartbeat_s=0.2)


@pytest_asyncio.fixture(loop_scope="session")
async def served(
    tmp_path: Path, mongo_url: str, database_name: str, gateway_settings: GatewaySettings
) -> AsyncIterator[Served]:
    shared = SharedSettings(home=tmp_path, mongo_url=mongo_url, mongo_prefix=database_name)
    async with open_database(shared, "gateway") as database:
        publisher = RecordingPublisher()
        gateway = assemble(gateway_settings, LocalObjectStore(tmp_path), database, publisher)
        await prepare(gateway, shared)
        app = routes_only()
        app.state.gateway = gateway
        key = (tmp_path / "api-key").read_text().strip()
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False),
            base_url="http://lectern.test",
            headers={"Authorization": f"Bearer {key}"},
        ) as client:
            yield Served(gateway, Projection(gateway.read_model), publisher, client, database, tmp_path, key)
