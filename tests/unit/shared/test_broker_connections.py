"""What an attempt to connect to the broker leaves behind, however it ends: nothing."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace

import pytest
from aio_pika.exceptions import ChannelInvalidStateError
from opentelemetry.sdk.trace import TracerProvider
from pydantic import SecretStr

from shared.circuit import Circuits
from shared.errors import BrokerError
from shared.messaging.broker import create_broker, subscribe
from shared.messaging.connection import Broker, connect
from shared.messaging.queues import check_by_publishing, check_consumers, consumers
from shared.messaging.topology import SPEECH
from shared.settings import SharedSettings


@asynccontextmanager
async def mute() -> AsyncIterator[tuple[str, asyncio.Event, asyncio.Event]]:
    """The URL of a server that never says a word, and whether somebody called and hung up."""
    called, hung_up = asyncio.Event(), asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        with suppress(ConnectionError):
            await reader.read(-1)  # until the end
        hung_up.set()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"amqp://127.0.0.1:{server.sockets[0].getsockname()[1]}/", called, hung_up


def broker_at(url: str, tmp_path) -> Broker:
    settings = SharedSettings(home=tmp_path, amqp_url=SecretStr(url))
    return create_broker(settings, TracerProvider(), "test", Circuits({}))


async def left_of(before: set[asyncio.Task]) -> set[asyncio.Task]:
    await asyncio.sleep(0)  # what was cancelled ends
    return {task for task in asyncio.all_tasks() - before if not task.done()}


async def test_who_is_stopped_while_it_connects_hangs_up_and_tries_no_more(tmp_path):
    async with mute() as (url, called, hung_up):
        broker, before = broker_at(url, tmp_path), asyncio.all_tasks()
        connecting = asyncio.create_task(broker.connect())
        await called.wait()
        connecting.cancel()
        await asyncio.wait([connecting])
        await asyncio.wait_for(hung_up.wait(), 20)
        await broker.stop()
    assert not await left_of(before)


async def test_a_broker_that_is_stopped_while_it_connects_ends_everybody_who_waits_for_that(tmp_path):
    async with mute() as (url, called, hung_up):
        broker, before = broker_at(url, tmp_path), asyncio.all_tasks()
        connecting = [asyncio.create_task(broker.connect()) for _ in range(3)]
        await called.wait()
        await asyncio.wait_for(broker.stop(), 20)
        ended = await asyncio.wait_for(asyncio.gather(*connecting, return_exceptions=True), 20)
        assert [type(error) for error in ended] == [BrokerError] * 3
        await asyncio.wait_for(hung_up.wait(), 20)
    assert not await left_of(before)


async def test_who_is_cancelled_while_the_broker_stops_stays_cancelled(tmp_path):
    async with mute() as (url, called, _):
        broker = broker_at(url, tmp_path)
        connecting = asyncio.create_task(broker.connect())
        await called.wait()
        stopping = asyncio.create_task(broker.stop())
        connecting.cancel()
        await asyncio.wait([connecting, stopping], timeout=20)
        assert connecting.cancelled()
        await stopping
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of a connection that is not closed
        del broker, connecting, stopping
        gc.collect()


async def test_a_stopped_broker_connects_no_more(tmp_path):
    async with mute() as (url, called, _):
        broker = broker_at(url, tmp_path)
        await broker.stop()
        for use in (broker.connect, broker.start, lambda: check_by_publishing(broker), lambda: consumers(broker, "q")):
            with pytest.raises(BrokerError, match="stopped for good"):
                await asyncio.wait_for(use(), 20)
        assert not called.is_set()
        await broker.stop()  # a second time changes nothing


async def test_a_refused_connection_is_closed_at_once():
    before = asyncio.all_tasks()
    with pytest.raises(ConnectionError):
        await connect("amqp://127.0.0.1:1/")
    assert not await left_of(before)


async def test_a_connection_that_was_being_opened_is_hung_up_when_its_caller_is_stopped():
    async with mute() as (url, called, hung_up):
        before = asyncio.all_tasks()
        connecting = asyncio.create_task(connect(url))
        await called.wait()
        connecting.cancel()
        await asyncio.wait([connecting])
        await asyncio.wait_for(hung_up.wait(), 20)
    assert not await left_of(before)


async def test_a_consumer_whose_channel_could_not_be_opened_again_is_told(tmp_path):
    class Channel:
        is_closed = False

        async def get_underlay_channel(self):
            raise ChannelInvalidStateError("Channel was not opened")

    async def ignore(event: dict) -> None:
        pass

    broker = broker_at("amqp://127.0.0.1:1/", tmp_path)
    subscribe(broker, SPEECH, ignore, prefetch=1)
    await check_consumers(broker)  # it has not begun to consume
    broker.consuming = True
    (subscriber,) = broker.subscribers
    subscriber._queue_obj = SimpleNamespace(channel=Channel())
    with pytest.raises(BrokerError, match="is not consumed"):
        await check_consumers(broker)
