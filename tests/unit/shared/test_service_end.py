"""A service that is told to stop while it still connects ends at once and quietly (PIP-4)."""

import asyncio
import os

import pytest
import structlog

from shared.errors import BrokerError
from shared.service import Parts, consuming, open_parts
from shared.settings import SharedSettings


async def never(_parts: Parts) -> None:
    raise AssertionError("it never gets as far as that")


async def test_a_service_that_is_stopped_while_it_connects_ends_without_an_error(tmp_path, monkeypatch):
    called = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        await reader.read(-1)
        writer.close()

    monkeypatch.setattr(os, "_exit", lambda status: pytest.fail(f"the process would end with {status}"))
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"amqp://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        settings = SharedSettings(home=tmp_path, amqp_url=url, mongo_url="mongodb://127.0.0.1:1/", health_every_s=0)
        with structlog.testing.capture_logs() as logs:
            async with asyncio.timeout(20), open_parts("test", settings) as parts:
                async with consuming(parts, never):
                    await called.wait()
                    asked = asyncio.create_task(parts.probes["broker"].now())
                    await asyncio.sleep(0.1)
                with pytest.raises(BrokerError, match="stopped for good"):
                    await asked
                ready, told = await parts.health.report()
    assert (ready, told["broker"], told["service"]) == (False, "failing", "stopping")
    assert not [line for line in logs if line["log_level"] != "info" or "exc_info" in line]
