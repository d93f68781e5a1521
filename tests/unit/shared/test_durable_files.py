"""An object is on disk before its name is: what is acknowledged survives a power cut."""

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
