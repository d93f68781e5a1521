"""A disk of the chaos run is full while it shall be, whatever is removed meanwhile, and has room again afterwards."""

import asyncio
from pathlib import Path

import pytest

from tests.chaos.disks import full, mounted


async def test_a_disk_is_full_for_a_while(tmp_path: Path) -> None:
    with mounted(tmp_path, ["rabbitmq"]) as disks:
        if not disks:
            pytest.skip("a small file system can only be mounted by root")
        disk = disks["rabbitmq"]
        kept = disk.folder / "kept"
        kept.write_bytes(b"x" * 5_000_000)
        async with full(disk):
            assert disk.is_full()
            with pytest.raises(OSError, match="No space left"):
                (disk.folder / "more").write_bytes(b"x" * 100_000)
            kept.unlink()
            await asyncio.sleep(0.5)
            assert disk.is_full()
        (disk.folder / "more").write_bytes(b"x" * 5_000_000)
    assert list((tmp_path / "rabbitmq").iterdir()) == []
