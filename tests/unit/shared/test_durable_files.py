"""Objects as files: on disk before their names are, and no empty folder left when they are gone."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.storage.local import LocalObjectStore

KEY, DATA = "ingest/job-00001/part", b"sound" * 1000


async def _chunks() -> AsyncIterator[bytes]:
    yield DATA


@pytest.mark.parametrize("way", ["bytes", "file", "stream"])
async def test_the_content_is_flushed_before_the_rename(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalObjectStore(tmp_path / "objects")
    source = tmp_path / "source"
    source.write_bytes(DATA)
    happened: list[tuple[str, int]] = []
    fsync, replace = os.fsync, Path.replace

    def seen_fsync(handle: int) -> None:
        happened.append(("flushed", os.fstat(handle).st_size))
        fsync(handle)

    def seen_replace(path: Path, target: Path) -> Path:
        happened.append(("renamed", path.stat().st_size))
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(Path, "replace", seen_replace)
    if way == "bytes":
        await store.put_bytes(KEY, DATA, "audio/wav")
    elif way == "file":
        await store.put_file(KEY, source, "audio/wav")
    else:
        await store.put_stream(KEY, _chunks(), "audio/wav", max_size=len(DATA))
    kept = [entry for entry in happened if entry[1] == len(DATA)]
    assert kept[:2] == [("flushed", len(DATA)), ("renamed", len(DATA))]
    assert await store.read(KEY) == DATA


async def test_folders_that_a_deletion_leaves_empty_go_and_others_stay(tmp_path: Path) -> None:
    store = LocalObjectStore(tmp_path)
    kept, gone = "gateway/uploads/job-00001/a/source", "gateway/uploads/job-00002/b/source"
    for key in (kept, gone, "inbox/talk.mp4", "rendering/job-00001/x/handout.pdf"):
        await store.put_bytes(key, DATA, "video/mp4")
    for key in (gone, "inbox/talk.mp4", gone):
        await store.delete(key)
    await store.delete_all("rendering/job-00001/")
    await store.delete_all("rendering/job-00001/")
    folders = {path.relative_to(tmp_path / "objects").as_posix() for path in (tmp_path / "objects").rglob("*/")}
    assert folders == {
        *("gateway", "gateway/uploads", "gateway/uploads/job-00001", "gateway/uploads/job-00001/a"),
        *("inbox", "rendering"),
    }
    assert await store.read(kept) == DATA


async def test_a_put_into_a_folder_that_is_just_removed_succeeds(tmp_path: Path) -> None:
    store = LocalObjectStore(tmp_path)

    async def put_and_delete(number: int) -> None:
        key = f"gateway/uploads/job-00001/{number % 2}/source-{number}"
        await store.put_bytes(key, DATA, "video/mp4")
        await store.delete(key)

    await asyncio.gather(*map(put_and_delete, range(200)))
    await store.put_bytes("gateway/uploads/job-00001/0/source", DATA, "video/mp4")
    assert await store.read("gateway/uploads/job-00001/0/source") == DATA
