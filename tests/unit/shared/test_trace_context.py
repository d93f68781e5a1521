"""A request's trace is its own, whatever the connection carried before."""

from typing import Any

import httpx
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace import TracerProvider

from shared.http_server.server import FreshTraceContext
from shared.telemetry import current_trace_id

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def ask(app: Any, headers: dict[str, str]) -> str:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return str((await client.get("/", headers=headers)).json()["trace_id"])


async def test_a_request_read_in_the_context_of_another_keeps_its_own_trace() -> None:
    provider = TracerProvider()
    app = FastAPI()

    @app.get("/")
    async def answer() -> dict[str, str | None]:
        return {"trace_id": current_trace_id()}

    FastAPIInstrumentor.instrument_app(app, tracer_provider=provider)
    with provider.get_tracer("test").start_as_current_span("an upload on the same connection") as other:
        leaked = trace.format_trace_id(other.get_span_context().trace_id)
        assert await ask(app, {"traceparent": PARENT}) == leaked, (
            "the instrumentation has changed: is this still needed?"
        )
        assert await ask(FreshTraceContext(app), {"traceparent": PARENT}) == PARENT.split("-")[1]
        assert await ask(FreshTraceContext(app), {}) != leaked
