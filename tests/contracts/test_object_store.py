"""What every object store must do, run against local files and a real S3 server."""

import asyncio
import fcntl
import hashlib
import os
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.errors import InvalidMessageError, ObjectNotFoundError, SourceTooLargeError, StorageError
from shared.settings import SharedSettings
from shared.storage import ObjectStore, open_store
from shared.storage.local import LocalObjectStore


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def keys(store: ObjectStore, prefix: str) -> list[str]:
    return [item.key async for item in store.walk(prefix)]


async def test_what_is_put_can_be_read(store: ObjectStore) -> None:
    ref = await store.put_bytes("ingest/job-1/a.json", b"{}", "application/json")
    assert ref.size == 2
    assert ref.sha256 == hashlib.sha256(b"{}").hexdigest()
    assert await store.read("ingest/job-1/a.json") == b"{}"
    assert (await store.stat("ingest/job-1/a.json")).size == 2


async def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    await store.put_bytes("a/empty", b"", "text/plain")
    assert await store.read("a/empty") == b""


async def test_a_put_replaces(store: ObjectStore) -> None:
    await store.put_bytes("a/b", b"first", "text/plain")
    await store.put_bytes("a/b", b"2", "text/plain")
    assert await store.read("a/b") == b"2"


async def test_a_stream_is_kept_whole_and_hashed(store: ObjectStore) -> None:
    parts = [bytes([number]) * (1 << 20) for number in range(40)]  # more than two parts of an S3 upload
    ref = await store.put_stream("a/big", chunks(*parts), "video/mp4", max_size=40 << 20)
    assert ref.sha256 == hashlib.sha256(b"".join(parts)).hexdigest()
    assert await store.read("a/big") == b"".join(parts)


async def test_a_stream_above_the_limit_leaves_nothing(store: ObjectStore) -> None:
    with pytest.raises(SourceTooLargeError, match="larger than the limit"):
        await store.put_stream("a/big", chunks(*[b"x" * (1 << 20)] * 40), "video/mp4", max_size=39 << 20)
    assert await keys(store, "a/") == []


async def test_a_stream_that_breaks_leaves_nothing(store: ObjectStore) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * (20 << 20)
        raise ConnectionResetError

    with pytest.raises((ConnectionResetError, StorageError)):
        await store.put_stream("a/broken", broken(), "video/mp4", max_size=1 << 30)
    assert await keys(store, "a/") == []


@pytest.mark.parametrize(("start", "end"), [(0, 5), (2, 7), (3, None), (9, 10), (4, 4)])
async def test_a_range_is_half_open(store: ObjectStore, start: int, end: int | None) -> None:
    await store.put_bytes("a/digits", b"0123456789", "text/plain")
    assert b"".join([part async for part in store.stream("a/digits", start, end)]) == b"0123456789"[start:end]


async def test_a_file_goes_in_and_comes_out(store: ObjectStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"content" * 1000)
    await store.put_file("a/file", source, "text/plain")
    async with store.as_file("a/file", tmp_path) as path:
        assert path.read_bytes() == source.read_bytes()


async def test_what_is_not_there_is_said_so(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(ObjectNotFoundError):
        await store.read("a/nothing")
    with pytest.raises(ObjectNotFoundError):
        await store.stat("a/nothing")
    with pytest.raises(ObjectNotFoundError):
        async with store.as_file("a/nothing", tmp_path):
            pass
    await store.delete("a/nothing")


async def test_a_folder_is_no_object(store: ObjectStore, tmp_path: Path) -> None:
    await store.put_bytes("inbox/week-3/a.mp4", b"1", "video/mp4")
    with pytest.raises(ObjectNotFoundError):
        await store.stat("inbox/week-3")
    with pytest.raises(ObjectNotFoundError):
        await store.read("inbox/week-3")
    with pytest.raises(ObjectNotFoundError):
        async with store.as_file("inbox/week-3", tmp_path):
            pass


def outside(root: Path, how: str) -> str:
    """Put what is no object of its own into the inbox; its key."""
    secret, inbox = root / "secret", root / "objects" / "inbox"
    inbox.mkdir(parents=True)
    secret.mkdir()
    (secret / "api-key").write_text("lk_secret")
    if how == "a link":
        (inbox / "a.mp4").symlink_to(secret / "api-key")
        return "inbox/a.mp4"
    if how == "a linked folder":
        (inbox / "week").symlink_to(secret)
        return "inbox/week/api-key"
    if how == "a link to the store's root":
        (inbox / "week").symlink_to("../..")
        return "inbox/week/secret/api-key"
    if how == "a pipe":
        os.mkfifo(inbox / "a.mp4")
        return "inbox/a.mp4"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(inbox / "a.mp4"))
    listening.close()
    return "inbox/a.mp4"


@pytest.mark.parametrize("how", ["a link", "a linked folder", "a link to the store's root", "a pipe", "a socket"])
async def test_what_lies_outside_or_is_no_file_is_no_object_of_files(tmp_path: Path, how: str) -> None:
    """Others may write into the inbox: a link there must not open what only the service may read."""
    store = LocalObjectStore(tmp_path)
    key = outside(tmp_path, how)
    with pytest.raises(ObjectNotFoundError):
        await store.read(key)
    with pytest.raises(ObjectNotFoundError):
        await store.stat(key)
    with pytest.raises(ObjectNotFoundError):
        async with store.as_file(key, tmp_path):
            pass
    with pytest.raises(ObjectNotFoundError):
        [part async for part in store.stream(key)]
    assert [found.key async for found in store.walk("inbox/")] == []


async def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "home").symlink_to(tmp_path / "disk")
    store = LocalObjectStore(tmp_path / "home")
    await store.put_bytes("a/b", b"1", "text/plain")
    assert await store.read("a/b") == b"1"


async def test_a_folder_is_deleted_and_its_neighbour_is_not(store: ObjectStore) -> None:
    for key in ("x/job-1/a", "x/job-1/b/c", "x/job-10/a"):
        await store.put_bytes(key, b"1", "text/plain")
    assert await store.delete_all("x/job-1/") == 2
    assert await keys(store, "x/") == ["x/job-10/a"]
    assert await store.delete_all("x/job-1/") == 0


@pytest.mark.parametrize("key", ["../secret", "/etc/passwd", "a//b", "a/./b", "a/../b", "", "a/", "a b", "a\x00b"])
async def test_a_key_cannot_leave_the_store(store: ObjectStore, key: str) -> None:
    with pytest.raises(InvalidMessageError):
        await store.put_bytes(key, b"x", "text/plain")
    with pytest.raises(InvalidMessageError):
        await store.read(key)


async def test_a_store_that_is_away_is_a_storage_error(tmp_path: Path) -> None:
    settings = SharedSettings(
        home=tmp_path,
        storage="s3",
        s3_endpoint="http://127.0.0.1:9",
        s3_access_key=SecretStr("a"),
        s3_secret_key=SecretStr("b"),
    )
    async with open_store(settings) as store:
        with pytest.raises(StorageError):
            await store.check()


def test_what_a_killed_process_had_begun_to_write_is_removed(tmp_path: Path) -> None:
    partial = tmp_path / "partial"
    partial.mkdir()
    abandoned, young, written = (partial / name for name in ("abandoned", "young", "written"))
    for path in (abandoned, young, written):
        path.write_bytes(b"half")
    for path in (abandoned, written):
        os.utime(path, (0, 0))
    with written.open("rb") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        LocalObjectStore(tmp_path)
    assert sorted(path.name for path in partial.iterdir()) == ["written", "young"]


async def begin_and_be_killed(store: ObjectStore, settings: SharedSettings, key: str) -> None:
    """Leave what a process leaves that is killed in the middle of a large upload."""
    if isinstance(store, LocalObjectStore):
        (settings.home / "partial" / "tmp123").write_bytes(b"half")
    else:
        await store._client.create_multipart_upload(Bucket=settings.s3_bucket, Key=key)  # type: ignore[attr-defined]  # of S3 stores alone


async def unfinished(store: ObjectStore, settings: SharedSettings) -> int:
    if isinstance(store, LocalObjectStore):
        return len(list((settings.home / "partial").iterdir()))
    answer = await store._client.list_multipart_uploads(Bucket=settings.s3_bucket)  # type: ignore[attr-defined]  # of S3 stores alone
    return len(answer.get("Uploads", []))


async def test_unfinished_uploads_are_abandoned_in_time(store: ObjectStore, settings: SharedSettings) -> None:
    await store.put_bytes("a/whole", b"whole", "text/plain")
    await begin_and_be_killed(store, settings, "a/half")
    await store.abandon("a/", time.time() - 3600)
    assert await unfinished(store, settings) == 1
    await store.abandon("a/", time.time() + 5)
    assert await unfinished(store, settings) == 0
    assert await keys(store, "a/") == ["a/whole"]


async def test_a_cancelled_put_has_ended_when_its_caller_goes_on(store: ObjectStore) -> None:
    """Otherwise it could appear after the deletion of all that a job had."""
    for turn in range(20):
        put = asyncio.ensure_future(store.put_bytes("a/b", b"x" * 100_000, "text/plain"))
        await asyncio.sleep(0.001 * (turn % 4))
        put.cancel()
        await asyncio.wait([put])
        await store.delete_all("a/")
        before = await keys(store, "a/")
        await asyncio.sleep(0.02)
        assert before == await keys(store, "a/") == []
