"""A gateway and an ingest service in this process, on a real broker and database, and others' messages."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pika

from services.gateway.app import create_app
from services.gateway.parts import Gateway
from services.gateway.settings import GatewaySettings
from services.ingest.app import build
from services.ingest.domain.ingest_source import Piece, PreparationRequest, Prepared
from services.ingest.settings import IngestSettings
from shared.service import consuming, open_parts
from shared.settings import SharedSettings
from tests.integration.gateway.conftest import free_port

WITHIN_S = 40
MAX_SIZE_BYTES = 1_000_000
ENDED = ("done", "partial", "failed", "cancelled")


@dataclass
class PageEngine:
    """Takes every source for a document of one page, with speech if it was told so, or raises what it was told to."""

    error: Exception | None = None
    speaks: bool = False
    asked: list[PreparationRequest] = field(default_factory=list)

    async def prepare(self, request: PreparationRequest) -> Prepared:
        self.asked.append(request)
        if self.error is not None:
            raise self.error
        content = request.source.read_bytes()
        return Prepared(
            source=request.source,
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            kind="document",
            media_type="application/pdf",
            page_count=1,
            speech=(Piece(number=1, start_s=0, end_s=1, path=request.source),) if self.speaks else (),
        )


@dataclass
class EventSystem:
    """The running services and a client of their API."""

    settings: SharedSettings
    gateway: Gateway
    engine: PageEngine
    client: httpx.AsyncClient

    @property
    def inbox(self) -> Path:
        folder = self.settings.home / "objects" / "inbox"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def put(self, name: str, content: bytes = b"a page") -> str:
        (self.inbox / name).parent.mkdir(parents=True, exist_ok=True)
        (self.inbox / name).write_bytes(content)
        return f"inbox/{name}"

    async def publish(self, body: Any, *, times: int = 1, key: str = "job.submitted.v1", **properties: Any) -> None:
        """As the README's snippet does: no type, no id, no headers, unless `properties` has them."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        url = self.settings.amqp_url.get_secret_value()
        await asyncio.to_thread(publish, url, content, key, times, properties)

    async def job(self, job_id: str) -> dict[str, Any] | None:
        answer = await self.client.get(f"/v1/jobs/{job_id}")
        assert answer.status_code in (200, 404), answer.text
        return dict(answer.json()) if answer.status_code == 200 else None

    async def until(self, job_id: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The job as soon as it is known and `holds`."""
        async with asyncio.timeout(WITHIN_S):
            while (job := await self.job(job_id)) is None or not holds(job):
                await asyncio.sleep(0.05)
            return job

    async def ended(self, job_id: str) -> dict[str, Any]:
        return await self.until(job_id, lambda job: job["status"] in ENDED)

    async def letters(self, **query: Any) -> list[dict[str, Any]]:
        answer = await self.client.get("/v1/dead-letters", params=query)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["dead_letters"])

    async def letter(self, **query: Any) -> dict[str, Any]:
        """The first dead letter, waited for."""
        async with asyncio.timeout(WITHIN_S):
            while not (found := await self.letters(**query)):
                await asyncio.sleep(0.05)
        return found[0]


def publish(url: str, body: bytes, key: str, times: int, properties: dict[str, Any]) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    sent = pika.BasicProperties(**{"content_type": "application/json", "delivery_mode": 2, **properties})
    for _ in range(times):
        channel.basic_publish("lectern.events", key, body, sent, mandatory=True)
    connection.close()


@asynccontextmanager
async def event_system(settings: SharedSettings) -> AsyncIterator[EventSystem]:
    """Start a gateway and an ingest service, and stop them at the end."""
    app = create_app(settings, GatewaySettings(port=free_port(), sweep_s=0.2, untold_s=0.2))
    engine = PageEngine()
    async with (
        app.router.lifespan_context(app),
        open_parts("ingest", settings) as ingest,
        consuming(ingest, lambda parts: build(engine, IngestSettings(max_size_bytes=MAX_SIZE_BYTES), parts)),
    ):
        await _ready(app.state.health.report)
        await _ready(ingest.health.report)
        key = (settings.home / "api-key").read_text().strip()
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False),
            base_url="http://localhost",
            headers={"Authorization": f"Bearer {key}"},
        ) as client:
            yield EventSystem(settings, app.state.gateway, engine, client)


async def _ready(report: Callable[[], Awaitable[tuple[bool, Any]]]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not (await report())[0]:
            await asyncio.sleep(0.05)
