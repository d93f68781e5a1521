"""No engine can hurt the machine: it is bounded, and has neither logins nor, where that can be, a network."""

import asyncio
import importlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from structlog.testing import capture_logs

from shared import engine_limits, engine_line
from shared.engine_limits import MB, EngineLimits, clean_environment
from shared.engine_memory import MemoryBudget, usage_of
from shared.engine_process import EngineProcess
from shared.errors import EngineError, EngineLimitError, EngineTimeoutError, Limit
from shared.messaging.verdict import Past, Policy, judge
from shared.time_limits import TimeLimits

HERE = Path(__file__).parent
LONG = TimeLimits.of(60)
linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's /proc and limits of this kind are Linux's")
Make = Callable[..., EngineProcess]


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(HERE))
    return importlib.import_module("limit_functions")


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[EngineProcess] = []

    def one(budget: MemoryBudget | None = None, idle_s: float = 30.0, **limits: int) -> EngineProcess:
        made.append(EngineProcess(limits=EngineLimits(**limits), budget=budget, idle_s=idle_s, idle_bytes=60 * MB))
        return made[-1]

    yield one
    for engine in made:
        engine.kill()


async def limit_met(engine: EngineProcess, function: Callable[..., object], *args: object) -> EngineLimitError:
    with pytest.raises(EngineLimitError) as met:
        await engine.run(LONG, function, *args)
    assert not isinstance(met.value, EngineTimeoutError)
    assert met.value.code == "resource_limit"
    return met.value


@linux
async def test_an_engine_that_takes_too_much_memory_is_ended_and_replaced(make: Make, functions: ModuleType) -> None:
    engine = make(memory_bytes=150 * MB)
    first = await engine.run(LONG, functions.pid)
    began = time.monotonic()
    error = await limit_met(engine, functions.take, 4000)
    assert error.of("Page 7") == "Page 7 needs more memory than is allowed."
    assert error.public_message.startswith("This file needs more memory than is allowed. ")
    assert time.monotonic() - began < 10
    assert await engine.run(LONG, functions.pid) != first
    assert await engine.run(LONG, functions.take, 20) == 20


@linux
async def test_the_programs_that_an_engine_starts_count_with_it(make: Make, functions: ModuleType) -> None:
    engine = make(memory_bytes=200 * MB)
    assert (await limit_met(engine, functions.take_by_programs, 4, 60)).limit == "memory"


@linux
async def test_one_great_piece_of_memory_is_refused_by_the_kernel(make: Make, functions: ModuleType) -> None:
    engine = make(memory_bytes=100 * MB)
    before = await engine.run(LONG, functions.pid)
    error = await limit_met(engine, functions.take_at_once, 8000)
    assert "MemoryError" in str(error), "the function itself was told"
    assert await engine.run(LONG, functions.pid) == before


async def test_a_library_that_was_refused_memory_has_met_the_limit(make: Make, functions: ModuleType) -> None:
    error = await limit_met(make(), functions.raise_as_opencv_does)
    assert error.limit == "memory"


@pytest.mark.parametrize(
    ("limits", "call", "met"),
    [
        ({"cpu_s": 1}, ("spin",), "time"),
        ({"file_bytes": MB}, ("write", 3), "file"),
        ({"processes": 3}, ("start_programs", 8), "programs"),
        ({}, ("segfault",), "crash"),
    ],
)
@linux
async def test_every_other_limit_ends_the_call_with_its_own_sentence(
    make: Make,
    functions: ModuleType,
    tmp_path: Path,
    limits: dict[str, int],
    call: tuple[str, *tuple[int, ...]],
    met: Limit,
) -> None:
    name, *args = call
    arguments = [tmp_path / "file", *args] if name == "write" else args
    error = await limit_met(make(**limits), getattr(functions, name), *arguments)
    assert error.limit == met
    assert error.of("Page 7").startswith("Page 7 ")


async def test_what_an_engine_raises_beside_our_own_errors_is_an_engine_error(
    make: Make, functions: ModuleType
) -> None:
    engine = make()
    with pytest.raises(EngineError, match='KeyError: "a decoder\'s own fault"'):
        await engine.run(LONG, functions.raise_something)
    with pytest.raises(EngineError, match="decoder ended with 3") as caught:
        await engine.run(LONG, functions.raise_unportable)
    assert caught.value.public_message == "It did not work."


async def test_an_answer_is_read_without_running_what_it_says(
    make: Make, functions: ModuleType, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    with pytest.raises(EngineError, match="is not read"):
        await make().run(LONG, functions.answer_maliciously, mark)
    assert not mark.exists()


@linux
async def test_no_login_is_in_the_environment_of_an_engine_or_of_its_programs(
    make: Make, functions: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LECTERN_MONGO_URL", "OTEL_EXPORTER_OTLP_HEADERS", "AWS_SECRET_ACCESS_KEY", "GATEWAY_BOOTSTRAP_KEY"):
        monkeypatch.setenv(name, "s3cret-login")
    monkeypatch.setenv("TMPDIR", "/tmp/somewhere")
    for environment in await make().run(LONG, functions.environments):
        assert "s3cret-login" not in environment
        names = {entry.partition("=")[0] for entry in environment.split("\0") if entry}
        assert {"PATH", "TMPDIR"} <= names
        assert not {name for name in names if name.startswith(("LECTERN_", "OTEL_", "AWS_"))} - {"LECTERN_CHILD"}


def test_only_what_is_known_to_be_harmless_is_handed_on() -> None:
    kept = clean_environment({"PATH": "/bin", "LC_ALL": "C", "NEW_PRODUCTS_TOKEN": "t", "HTTPS_PROXY": "http://u:p@h"})
    assert kept.keys() == {"PATH", "LC_ALL", "PYTHONPATH"}


@pytest.fixture
def networks_can_be_left() -> bool:
    """What util-linux finds out about this kernel, by other code than the product's."""
    return subprocess.run(["unshare", "--user", "--net", "true"], capture_output=True, check=False).returncode == 0


@linux
async def test_an_engine_has_no_network_where_the_kernel_lets_it_give_it_up(
    make: Make, functions: ModuleType, monkeypatch: pytest.MonkeyPatch, networks_can_be_left: bool
) -> None:
    monkeypatch.setattr(engine_line, "_told_of_network", engine_line.threading.Event())
    with socket.create_server(("127.0.0.1", 0)) as server, capture_logs() as logs:
        outcome = await make().run(LONG, functions.connect, server.getsockname()[1])
    told = [line for line in logs if "keep the network" in line["event"]]
    assert (outcome, bool(told)) == (("OSError", False) if networks_can_be_left else ("connected", True))


@linux
async def test_no_core_is_written(make: Make, functions: ModuleType) -> None:
    assert await make().run(LONG, functions.core_limit) == (0, 0)


@linux
async def test_engines_share_what_a_service_may_have_and_the_idle_one_goes_first(
    make: Make, functions: ModuleType
) -> None:
    budget = MemoryBudget(330 * MB)
    idle, busy = (make(budget=budget, memory_bytes=300 * MB) for _ in range(2))
    await idle.run(LONG, functions.take, 130)
    before = await busy.run(LONG, functions.pid)
    assert await busy.run(LONG, functions.take, 200) == 200
    assert await busy.run(LONG, functions.pid) == before
    assert idle.resident_bytes == 0


@linux
async def test_of_two_busy_engines_the_one_nearest_to_its_limit_goes(make: Make, functions: ModuleType) -> None:
    budget = MemoryBudget(400 * MB)
    greedy, modest = make(budget=budget, memory_bytes=350 * MB), make(budget=budget, memory_bytes=350 * MB)
    first, second = await asyncio.gather(
        greedy.run(LONG, functions.hold, 330, 4), modest.run(LONG, functions.hold, 130, 4), return_exceptions=True
    )
    assert isinstance(first, EngineLimitError)
    assert second == 130


@linux
async def test_a_child_that_has_grown_is_ended_when_it_is_idle(make: Make, functions: ModuleType) -> None:
    engine = make(idle_s=0.5)
    small = await engine.run(LONG, functions.pid)
    await asyncio.sleep(1)
    assert await engine.run(LONG, functions.take, 80) == 80
    assert await engine.run(LONG, functions.pid) == small, "wanted again in time"
    await asyncio.sleep(1)
    assert usage_of(small).resident_bytes == 0
    assert await engine.run(LONG, functions.pid) != small


def test_where_namespaces_are_forbidden_an_engine_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def __init__(self, *_: object, **__: object) -> None: ...

        def unshare(self, _flags: int) -> int:
            return -1

    monkeypatch.setattr(engine_limits.ctypes, "CDLL", Refusing)
    assert engine_limits._leave_network() is False


@pytest.mark.parametrize("error", [EngineLimitError(), EngineTimeoutError()])
def test_what_meets_a_limit_is_tried_twice_and_never_more(error: EngineError) -> None:
    policy = Policy((5.0, 30.0, 120.0))
    assert judge(error, Past(attempts=0), policy).delay_s == 5.0
    second = judge(error, Past(attempts=1), policy)
    assert (second.delay_s, second.reason, second.code) == (None, "permanent-error", error.code)
    assert judge(EngineError(), Past(attempts=2), policy).delay_s == 120.0


def test_usage_of_a_process_is_about_what_the_kernel_says() -> None:
    if sys.platform != "linux":
        pytest.skip("there is no /proc")
    # A process of its own: below that of the tests run servers.
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.stdin is not None
        time.sleep(0.5)
        status = Path(f"/proc/{child.pid}/status").read_text()
        resident = next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmRSS"))
        assert usage_of(child.pid).resident_bytes == pytest.approx(resident, rel=0.5)
        child.stdin.write(b"\n")
