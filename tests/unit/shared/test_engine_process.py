"""A stuck or crashing engine never takes its service along, and never outlives it (OPS-8)."""

import asyncio
import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import ModuleType

import pytest

from shared.engine_process import EngineProcess
from shared.errors import EngineError, EngineTimeoutError, InvalidSourceError

HERE = Path(__file__).parent
LONG_S = 60.0


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(HERE))  # spawned children get the path too
    return importlib.import_module("engine_functions")


def read(note: Path) -> list[int]:
    return [int(pid) for pid in note.read_text().split()]


def start_service(note: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(HERE / "engine_functions.py"), str(note)]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(HERE.parents[2])})


@pytest.fixture
async def engine() -> AsyncIterator[EngineProcess]:
    made = EngineProcess()
    yield made
    made.kill()


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"  # a zombie is dead; whoever inherited it has not looked yet


async def until(condition: Callable[[], bool], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not (met := condition()) and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    return met


async def gone(pids: list[int]) -> bool:
    return await until(lambda: not any(is_alive(pid) for pid in pids), 10)


async def noted(note: Path) -> list[int]:
    assert await until(note.exists, LONG_S)
    pids = read(note)
    assert len(pids) == 2
    assert all(is_alive(pid) for pid in pids)
    return pids


async def test_results_and_errors_pass_through_one_kept_child(engine: EngineProcess, functions: ModuleType) -> None:
    assert await engine.run(LONG_S, functions.add, 1, b=2) == 3
    first = await engine.run(LONG_S, functions.pid)
    with pytest.raises(InvalidSourceError) as refused:
        await engine.run(LONG_S, functions.refuse)
    assert refused.value.public_message == "This file is empty."
    assert str(refused.value) == "/secret/path"
    assert await engine.run(LONG_S, functions.pid) == first != os.getpid()


async def test_the_child_loads_its_model_once(functions: ModuleType) -> None:
    engine = EngineProcess(functions.preload)
    try:
        assert [await engine.run(LONG_S, functions.loaded) for _ in range(2)] == [["model"]] * 2
        assert functions.LOADED == []
    finally:
        engine.kill()


async def test_a_crash_is_an_engine_error_and_the_next_call_works(engine: EngineProcess, functions: ModuleType) -> None:
    with pytest.raises(EngineError) as crashed:
        await engine.run(LONG_S, functions.crash)
    assert not isinstance(crashed.value, EngineTimeoutError)
    assert crashed.value.retryable
    assert await engine.run(LONG_S, functions.add, 2, b=2) == 4


async def test_a_timeout_kills_the_child_and_what_it_started(
    engine: EngineProcess, functions: ModuleType, tmp_path: Path
) -> None:
    await engine.run(LONG_S, functions.pid)  # so that the time limit is not spent on starting
    with pytest.raises(EngineTimeoutError):
        await engine.run(2, functions.hang, tmp_path / "pids")
    assert await gone(read(tmp_path / "pids"))
    assert await engine.run(LONG_S, functions.add, 1, b=1) == 2


async def test_a_cancelled_caller_kills_the_child_and_what_it_started(
    engine: EngineProcess, functions: ModuleType, tmp_path: Path
) -> None:
    call = asyncio.create_task(engine.run(LONG_S, functions.hang, tmp_path / "pids"))
    pids = await noted(tmp_path / "pids")
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await gone(pids)


async def test_calls_wait_for_their_turn_and_a_waiting_one_can_be_cancelled(
    engine: EngineProcess, functions: ModuleType, tmp_path: Path
) -> None:
    running = asyncio.create_task(engine.run(LONG_S, functions.hang, tmp_path / "pids"))
    pids = await noted(tmp_path / "pids")
    waiting = asyncio.create_task(engine.run(LONG_S, functions.pid))
    await asyncio.sleep(0.1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert all(is_alive(pid) for pid in pids)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await gone(pids)


async def test_a_killed_service_leaves_no_engine_behind(tmp_path: Path) -> None:
    note = tmp_path / "pids"
    service = start_service(note)
    try:
        pids = await noted(note)
        service.send_signal(signal.SIGKILL)
        assert await gone(pids)
    finally:
        service.kill()
        service.wait()
