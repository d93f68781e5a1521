"""A store is ready when it keeps what it is given: who only answers fails the check (OPS-8)."""

import asyncio
import hashlib

import pytest

from shared.errors import StorageError
from shared.storage import ObjectRef, ObjectStore, check


async def keys(store: ObjectStore, prefix: str) -> list[str]:
    return [item.key async for item in store.walk(prefix)]


async def test_a_store_that_works_passes_its_check_and_nothing_stays(store: ObjectStore) -> None:
    await asyncio.gather(*(store.check() for _ in range(5)))
    assert await keys(store, check.PREFIX) == []


async def test_what_checks_of_killed_processes_left_is_removed_and_nothing_else(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.put_bytes(f"{check.PREFIX}left", b"x", "text/plain")
    await store.put_bytes("ingest/job-1/a.json", b"{}", "application/json")
    await check.remove_old_checks(store)
    assert await keys(store, check.PREFIX) == [f"{check.PREFIX}left"]  # a process that lives may be about to fetch it
    monkeypatch.setattr(check, "LEFT_BEHIND_S", -60)
    await check.remove_old_checks(store)
    assert await keys(store, check.PREFIX) == []
    assert await keys(store, "ingest/") == ["ingest/job-1/a.json"]


@pytest.mark.parametrize("fault", ["loses what is put", "keeps half", "refuses deletion"])
async def test_a_store_that_only_answers_fails_its_check(
    store: ObjectStore, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = store.put_bytes

    async def lost(key: str, data: bytes, media_type: str) -> ObjectRef:
        return ObjectRef(key=key, sha256=hashlib.sha256(data).hexdigest(), size=len(data), media_type=media_type)

    async def half(key: str, data: bytes, media_type: str) -> ObjectRef:
        return await put(key, data[: len(data) // 2], media_type)

    async def refused(key: str) -> None:
        raise StorageError(f"{key}: read-only")

    name, replacement = {
        "loses what is put": ("put_bytes", lost),
        "keeps half": ("put_bytes", half),
        "refuses deletion": ("delete", refused),
    }[fault]
    monkeypatch.setattr(store, name, replacement)
    with pytest.raises(StorageError) as raised:
        await store.check()
    assert raised.type is StorageError  # not a lost object, which would be the job's own fault
