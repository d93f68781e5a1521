"""The means of the harness do what they say: trouble of storage, proxies, the engines' ledger."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.processes import free_ports
from shared.errors import EngineError, InvalidSourceError, StorageError
from shared.telemetry.work import work_on
from tests.chaos.content import Content
from tests.chaos.ledger import read_ledger
from tests.chaos.proxy import Proxy
from tests.chaos.storage_faults import FULL, REFUSE, Trouble, TroubledStore
from tests.chaos.tap import Letter, Tap
from tests.chaos.workshop import Workshop


@pytest.fixture
def trouble(tmp_path: Path) -> Trouble:
    return Trouble(tmp_path / "control")


@pytest.fixture
def store(tmp_path: Path, trouble: Trouble) -> TroubledStore:
    return TroubledStore(tmp_path / "home", trouble)


@pytest.mark.parametrize("kind", [REFUSE, FULL])
async def test_storage_in_trouble_takes_nothing_and_recovers(store: TroubledStore, trouble: Trouble, kind: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"0123456789"

    trouble.begin(kind)
    for put in (store.put_bytes("a/b", b"xx", "text/plain"), store.put_stream("a/c", chunks(), "x/y", max_size=99)):
        with pytest.raises(StorageError):
            await put
    with pytest.raises(StorageError):
        await store.check()
    trouble.end()
    assert [found async for found in store.walk("")] == []
    await store.put_bytes("a/b", b"xx", "text/plain")
    assert await store.read("a/b") == b"xx"


async def test_units_fail_as_they_are_told_and_are_written_down(tmp_path: Path) -> None:
    shop = Workshop(tmp_path)
    shop.prepare()
    content = Content(name="x", work_ms=0, flaky={"speech-1": 1}, poisoned="guide", mendable="speech-2")

    with work_on(job_id="job-00001"):
        with pytest.raises(EngineError):
            await shop.do(content, "speech-1")
        await shop.do(content, "speech-1")
        with pytest.raises(InvalidSourceError):
            await shop.do(content, "guide")
        with pytest.raises(EngineError):
            await shop.do(content, "speech-2")
        shop.mend("job-00001")
        await shop.do(content, "speech-2")
        await shop.do(content, "speech-2")

    assert read_ledger(tmp_path).figures() == {"begun": 6, "done": 3, "again": 3, "redone": 1}


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)
        await writer.drain()
    writer.close()


@pytest_asyncio.fixture
async def proxy() -> AsyncIterator[Proxy]:
    near, far = free_ports(2)
    server = await asyncio.start_server(_echo, "127.0.0.1", far)
    one = Proxy("echo", near, far)
    await one.open()
    yield one
    await one.close()
    server.close()


async def _said(proxy: Proxy, text: bytes) -> bytes:
    """What comes back; nothing where the connection is broken."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        writer.write(text)
        return await _heard(reader)
    finally:
        writer.close()


async def _heard(reader: asyncio.StreamReader) -> bytes:
    """What comes; nothing where the connection is broken."""
    try:
        return await reader.read(100)
    except ConnectionError:
        return b""


async def test_a_proxy_passes_on_what_is_said(proxy: Proxy) -> None:
    assert await _said(proxy, b"hello") == b"hello"


async def test_a_refusing_proxy_says_nothing_until_it_is_healed(proxy: Proxy) -> None:
    proxy.refuse(refusing=True)
    assert await _said(proxy, b"hello") == b""
    proxy.heal()
    assert await _said(proxy, b"hello") == b"hello"


async def test_a_cut_breaks_what_stands_and_nothing_else(proxy: Proxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"hello")
    assert await reader.read(100) == b"hello"

    assert proxy.cut() == 1
    assert await _heard(reader) == b""
    writer.close()
    assert await _said(proxy, b"again") == b"again"


async def test_a_stalled_proxy_holds_back_what_it_later_delivers(proxy: Proxy) -> None:
    proxy.stall(stalled=True)
    waiting = asyncio.create_task(_said(proxy, b"hello"))
    done, _ = await asyncio.wait([waiting], timeout=0.1)
    assert not done
    proxy.heal()
    assert await waiting == b"hello"


async def test_who_gives_up_sending_leaves_nothing_behind_that_connects(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, ended = [], []

    async def for_ever(*_: object) -> None:
        begun.append(True)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    tap = Tap("amqp://nowhere")
    monkeypatch.setattr(tap, "_publish", for_ever)
    sending = asyncio.create_task(tap.send(Letter("", "queue", b"{}", {})))
    await asyncio.sleep(0.05)
    sending.cancel()
    await asyncio.wait([sending])
    await asyncio.sleep(0)
    assert begun == ended == [True]
