"""A disk of the chaos run is full while it shall be, whatever is removed meanwhile, and has room again afterwards."""

import asyncio
from pathlib import Path

import pytest

from deploy.local.processes import Child, spawn
from tests.chaos import servers
from tests.chaos.disks import full, mounted
from tests.chaos.servers import Server


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


class Stub:
    """A program that is always ready, with a process of its own in each life."""

    name, log, port = "stub", Path("stub.log"), 1

    def spawn(self) -> Child:
        return spawn("stub", ["sleep", "60"], log=self.log)

    async def is_ready(self) -> bool:
        return True

    def failure(self) -> str:
        return "never"


@pytest.mark.parametrize(("works", "starts"), [(True, 1), (False, 2)])
async def test_a_server_that_is_ready_and_does_no_work_is_started_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, works: bool, starts: int
) -> None:
    async def answers() -> bool:
        return works

    monkeypatch.setattr(servers, "SILENCE_S", 0)
    program = Stub()
    program.log = tmp_path / "stub.log"
    server = Server(program, answers)
    try:
        await server.start()
        await server.revive()
        assert server.starts == starts
    finally:
        await server.close()
