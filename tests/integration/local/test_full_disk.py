"""A database whose disk was full answers pings for ever: it is told from one that works, and comes back whole."""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from deploy.local.database import EmbeddedDatabase
from deploy.local.processes import terminate_all
from deploy.local.programs import start

pytestmark = pytest.mark.integration


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=150m", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can only be mounted by root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(ballast: Path) -> None:
    size = 1 << 20
    with ballast.open("ab", buffering=0) as file:
        while size:
            try:
                file.write(bytes(size))
            except OSError:
                size //= 2


async def test_a_database_that_only_answers_is_noticed_once_there_is_room_and_loses_nothing(disk: Path) -> None:
    database = EmbeddedDatabase(disk / "database", authenticated=False)
    child = await start(database)
    written = 0
    async with AsyncMongoClient(database.url, socketTimeoutMS=10_000) as client:
        with contextlib.suppress(PyMongoError):
            for number in range(2000):
                await client.kept.things.insert_one({"_id": number, "body": os.urandom(50_000)})
                written = number + 1
                if number >= 60:
                    fill(disk / "ballast")
    assert await database.is_live()  # a restart would not help
    (disk / "ballast").unlink()
    assert not await database.is_live()
    await terminate_all([child], timeout_s=3)
    child = await start(database)
    assert await database.is_live()
    async with AsyncMongoClient(database.url) as client:
        assert await client.kept.things.count_documents({}) >= written > 60
    await asyncio.wait_for(terminate_all([child], timeout_s=5), 20)
