"""A stuck or crashing engine never takes its service along, and never outlives it; time limits hold (OPS-8, PIP-3)."""

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
from pydantic_settings import BaseSettings
from structlog.testing import capture_logs

from services.analysis.settings import AnalysisSettings
from services.ingest.settings import IngestSettings
from services.rendering.settings import RenderingSettings
from services.transcription.settings import TranscriptionSettings
from shared.engine_process import EngineProcess
from shared.errors import EngineError, EngineTimeoutError, InvalidSourceError
from shared.settings import load
from shared.time_limits import TimeLimits

HERE = Path(__file__).parent
LONG_S = 60.0
LONG = TimeLimits.of(LONG_S)


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
    assert await engine.run(LONG, functions.add, 1, b=2) == 3
    first = await engine.run(LONG, functions.pid)
    with pytest.raises(InvalidSourceError) as refused:
        await engine.run(LONG, functions.refuse)
    assert refused.value.public_message == "This file is empty."
    assert str(refused.value) == "/secret/path"
    assert await engine.run(LONG, functions.pid) == first != os.getpid()


async def test_the_child_loads_its_model_once(functions: ModuleType) -> None:
    engine = EngineProcess(functions.preload)
    try:
        assert [await engine.run(LONG, functions.loaded) for _ in range(2)] == [["model"]] * 2
        assert functions.LOADED == []
    finally:
        engine.kill()


async def test_a_crash_is_an_engine_error_and_the_next_call_works(engine: EngineProcess, functions: ModuleType) -> None:
    with pytest.raises(EngineError) as crashed:
        await engine.run(LONG, functions.crash)
    assert not isinstance(crashed.value, EngineTimeoutError)
    assert crashed.value.retryable
    assert await engine.run(LONG, functions.add, 2, b=2) == 4


async def test_the_soft_limit_interrupts_the_work_and_keeps_the_child(
    engine: EngineProcess, functions: ModuleType, tmp_path: Path
) -> None:
    pid = await engine.run(LONG, functions.pid)  # so that the time limit is not spent on starting
    note = tmp_path / "pids"
    with capture_logs() as logs, pytest.raises(EngineTimeoutError, match=r"hang_tidily was interrupted after \d+ s"):
        await engine.run(TimeLimits(soft_s=2, hard_s=LONG_S), functions.hang_tidily, note)
    assert note.with_suffix(".tidied").exists()
    hanging, program = read(note)
    assert hanging == pid
    assert not is_alive(program)
    assert await engine.run(LONG, functions.pid) == pid
    (line,) = logs
    assert (line["function"], line["how"]) == ("hang_tidily", "interrupted")
    assert (line["soft_limit_s"], line["hard_limit_s"]) == (2, LONG_S)
    assert line["seconds"] >= 2


@pytest.mark.parametrize("limits", [TimeLimits(soft_s=2, hard_s=2), TimeLimits(soft_s=1, hard_s=3)])
async def test_the_hard_limit_kills_a_child_that_hears_nothing_and_what_it_started(
    engine: EngineProcess, functions: ModuleType, tmp_path: Path, limits: TimeLimits
) -> None:
    await engine.run(LONG, functions.pid)
    with capture_logs() as logs, pytest.raises(EngineTimeoutError, match=r"hang_in_native_code was killed after \d+ s"):
        await engine.run(limits, functions.hang_in_native_code, tmp_path / "pids")
    assert await gone(read(tmp_path / "pids"))
    assert await engine.run(LONG, functions.add, 1, b=1) == 2
    (line,) = logs
    assert (line["function"], line["how"]) == ("hang_in_native_code", "killed")
    assert line["seconds"] >= limits.hard_s


async def test_the_limit_of_a_call_that_ended_in_time_does_not_hit_the_next(
    engine: EngineProcess, functions: ModuleType
) -> None:
    pid = await engine.run(LONG, functions.pid)
    await engine.run(TimeLimits(soft_s=1, hard_s=LONG_S), functions.nap, 0.01)
    await engine.run(LONG, functions.nap, 1.5)
    assert await engine.run(LONG, functions.pid) == pid


async def test_a_signal_counts_only_when_the_limit_of_the_call_at_hand_has_passed(
    engine: EngineProcess, functions: ModuleType
) -> None:
    pid = await engine.run(LONG, functions.pid)
    await engine.run(LONG, functions.be_alarmed)
    for number in range(100):
        assert await engine.run(LONG, functions.add, number, b=1) == number + 1
    assert await engine.run(LONG, functions.pid) == pid
    with pytest.raises(EngineTimeoutError):
        await engine.run(TimeLimits(soft_s=0.5, hard_s=LONG_S), functions.nap, LONG_S)
    assert await engine.run(LONG, functions.pid) == pid


@pytest.mark.parametrize(("soft_s", "hard_s"), [(2, 1), (0, 1), (-1, 1), (float("nan"), 1)])
def test_limits_that_do_not_fit_are_refused(soft_s: float, hard_s: float) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        TimeLimits(soft_s, hard_s)


def test_the_soft_limit_is_nine_tenths_unless_it_is_given() -> None:
    assert TimeLimits.of(100) == TimeLimits(soft_s=90, hard_s=100)
    assert TimeLimits.of(100, 5) == TimeLimits(soft_s=5, hard_s=100)


@pytest.mark.parametrize(
    ("kind", "hard", "soft"),
    [
        (IngestSettings, "INGEST_TIMEOUT_S", "INGEST_SOFT_TIMEOUT_S"),
        (AnalysisSettings, "ANALYSIS_TIMEOUT_S", "ANALYSIS_SOFT_TIMEOUT_S"),
        (RenderingSettings, "RENDERING_TIMEOUT_S", "RENDERING_SOFT_TIMEOUT_S"),
        *(
            (TranscriptionSettings, f"TRANSCRIPTION_{what}_TIMEOUT_S", f"TRANSCRIPTION_{what}_SOFT_TIMEOUT_S")
            for what in ("SPEECH", "SLIDES", "PAGES", "JOIN")
        ),
    ],
)
def test_a_soft_limit_above_the_hard_one_is_one_clear_fault(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kind: type[BaseSettings],
    hard: str,
    soft: str,
) -> None:
    monkeypatch.setenv(hard, "20")
    monkeypatch.setenv(soft, "20")
    assert getattr(load(kind), soft.partition("_")[2].lower()) == 20
    monkeypatch.setenv(soft, "21")
    with pytest.raises(SystemExit):
        load(kind)
    fault, _advice = capsys.readouterr().err.splitlines()
    assert fault.startswith(f"Setting {soft}:")
    assert "21 s is more than the hard limit" in fault
    assert hard.partition("_")[2] in fault
    assert "20 s" in fault


async def test_a_cancelled_caller_kills_the_child_and_what_it_started(
    engine: EngineProcess, functions: ModuleType, tmp_path: Path
) -> None:
    call = asyncio.create_task(engine.run(LONG, functions.hang, tmp_path / "pids"))
    pids = await noted(tmp_path / "pids")
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await until(lambda: not any(is_alive(pid) for pid in pids), 1)


async def test_calls_wait_for_their_turn_and_a_waiting_one_can_be_cancelled(
    engine: EngineProcess, functions: ModuleType, tmp_path: Path
) -> None:
    running = asyncio.create_task(engine.run(LONG, functions.hang, tmp_path / "pids"))
    pids = await noted(tmp_path / "pids")
    waiting = asyncio.create_task(engine.run(LONG, functions.pid))
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
