"""The supervisor with small programs in place of the services, and no servers."""

import asyncio
import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.local import stop_limits as stop_limits_module
from deploy.local.errors import AlreadyRunningError, LocalSystemError, StopRequestedError
from deploy.local.guard import marked_processes
from deploy.local.home import Home
from deploy.local.keeper import Happening
from deploy.local.processes import free_ports, is_free
from deploy.local.services import ServiceProgram
from deploy.local.supervisor import Options, Supervisor

PROJECT = Path(__file__).resolve().parents[3]
# Answers its health probes, notes in `notes` when it begins and ends, and does as argv[1] says.
PROGRAM = """
import http.server, json, os, signal, sys, threading, time
name, manner, notes = sys.argv[1:]
def note(what):
    with open(notes, "a") as stream:
        stream.write(json.dumps([name, what, time.time()]) + "\\n")
def end(*_):
    if manner != "deaf":
        note("ended")
        os._exit(0)
signal.signal(signal.SIGTERM, end)
note("began")
if manner == "broken":
    print("cannot work", flush=True)
    sys.exit(7)
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path in ("/health/ready", "/health/live") and manner != "unready" else 503)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(os.environ["TEST_PORT"])), Health).serve_forever()
"""
NOWHERE = {"amqp_url": "amqp://elsewhere/", "mongo_url": "mongodb://elsewhere/"}


@pytest.fixture
def make(tmp_path):
    """Makes programs: `make("worker", "broken")`; their notes are read by `make.notes()`."""
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    notes = tmp_path / "notes"

    def one(name, manner="well", *, front=False):
        return ServiceProgram(name, (sys.executable, str(script), name, manner, str(notes)), "TEST_PORT", front)

    one.notes = lambda: [json.loads(line) for line in notes.read_text().splitlines()]
    return one


class Events(list):
    """Everything that a supervisor told."""

    def of(self, program, happening):
        return [event for event in self if event.program == program and event.happening == happening]

    async def arrival(self, program, happening, count=1):
        for _ in range(3000):
            if len(found := self.of(program, happening)) >= count:
                return found[count - 1]
            await asyncio.sleep(0.02)
        raise TimeoutError(f"{program} never {happening}: {self}")


async def test_services_are_up_and_described(tmp_path, make):
    home = tmp_path / "home"
    options = Options(services=(make("page", front=True), make("worker")), **NOWHERE)
    async with Supervisor(home, options) as system:
        state = Home(home).read_state()
        assert state.gateway_url == system.gateway_url
        assert state.launcher_pid == os.getpid()
        assert set(state.processes) == {"page", "worker"}
        assert set(marked_processes(state.mark)) >= {process.pid for process in state.processes.values()}
        assert stat.S_IMODE((home / "state.json").stat().st_mode) == 0o600
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert not (home / "state.json").exists()
    assert sorted(what for _, what, _ in make.notes()) == ["began", "began", "ended", "ended"]


async def test_services_learn_where_everything_is(tmp_path):
    show = ServiceProgram("show", ("/usr/bin/env",), "SHOW_HEALTH_PORT")
    home = tmp_path / "home"
    events = Events()
    options = Options(services=(show,), on_event=events.append, environment={"EXTRA": "1"}, **NOWHERE)
    starting = asyncio.create_task(Supervisor(home, options).__aenter__())
    await events.arrival("show", Happening.DIED)
    starting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await starting
    told = dict(line.split("=", 1) for line in (home / "logs" / "show.jsonl").read_text().splitlines() if "=" in line)
    assert told["LECTERN_HOME"] == str(home)
    assert told["LECTERN_AMQP_URL"] == "amqp://elsewhere/"
    assert told["LECTERN_MONGO_URL"] == "mongodb://elsewhere/"
    assert told["SHOW_HEALTH_PORT"].isdigit()
    assert told["EXTRA"] == "1"


async def test_a_killed_service_comes_back_on_its_port(tmp_path, make):
    events = Events()
    home = tmp_path / "home"
    async with Supervisor(home, Options(services=(make("worker"),), on_event=events.append, **NOWHERE)):
        before = Home(home).read_state().processes["worker"]
        os.kill(before.pid, signal.SIGKILL)
        died = await events.arrival("worker", Happening.DIED)
        await events.arrival("worker", Happening.READY, 2)
        after = Home(home).read_state().processes["worker"]
    assert (died.exit_status, died.retry_in_s) == (-signal.SIGKILL, 0.5)
    assert (after.port, after.starts) == (before.port, 2)
    assert after.pid != before.pid
    lines = [json.loads(line) for line in (home / "logs" / "supervisor.jsonl").read_text().splitlines()]
    assert [line["level"] for line in lines if line["happening"] == "died"] == ["warning"]


async def test_a_hung_service_is_ended_and_comes_back(tmp_path, make, monkeypatch):
    monkeypatch.setattr("deploy.local.keeper.LIVE_EVERY_S", 0.05)
    monkeypatch.setattr("deploy.local.keeper.SILENCES_ALLOWED", 2)
    monkeypatch.setattr("deploy.local.services.ANSWER_TIMEOUT_S", 0.2)
    events = Events()
    home = tmp_path / "home"
    async with Supervisor(home, Options(services=(make("worker"),), on_event=events.append, **NOWHERE)):
        await asyncio.sleep(0.5)
        assert not events.of("worker", Happening.HUNG)
        os.kill(Home(home).read_state().processes["worker"].pid, signal.SIGSTOP)
        await events.arrival("worker", Happening.HUNG)
        await events.arrival("worker", Happening.READY, 2)


async def test_hopeless_start_names_the_log_and_ends_the_rest(tmp_path, make, monkeypatch):
    monkeypatch.setattr("deploy.local.backoff.FIRST_S", 0.01)
    home = tmp_path / "home"
    options = Options(services=(make("page", front=True), make("worker", "broken")), **NOWHERE)
    with pytest.raises(LocalSystemError) as raised:
        async with Supervisor(home, options):
            pytest.fail("it said that it was ready")
    assert str(home / "logs" / "worker.jsonl") in raised.value.public_message
    assert "cannot work" in raised.value.log_tail()
    assert [what for name, what, _ in make.notes() if name == "worker"] == ["began"] * 5
    assert ["page", "ended"] in [note[:2] for note in make.notes()]
    assert not (home / "state.json").exists()


async def test_a_service_that_never_gets_ready_is_started_again(tmp_path, make):
    events = Events()
    options = Options(services=(make("worker", "unready"),), on_event=events.append, ready_limit_s=0.3, **NOWHERE)
    supervisor = Supervisor(tmp_path / "home", options)
    starting = asyncio.create_task(supervisor.__aenter__())
    await events.arrival("worker", Happening.STARTED, 2)
    supervisor.request_stop()
    with pytest.raises(StopRequestedError):
        await starting


async def test_workers_end_before_the_page(tmp_path, make):
    options = Options(services=(make("page", front=True), make("one"), make("two")), **NOWHERE)
    async with Supervisor(tmp_path / "home", options):
        pass
    ended = [name for name, what, _ in make.notes() if what == "ended"]
    assert ended[-1] == "page"
    assert set(ended) == {"page", "one", "two"}


async def test_the_deaf_are_killed_in_time_and_that_is_told(tmp_path, make, monkeypatch):
    """In the time that the services have to finish what they have in hand, whichever that is."""
    monkeypatch.setattr(stop_limits_module, "WORKERS_CLOSING_S", 0.1)
    events = Events()
    own = {"LECTERN_SHUTDOWN_S": "0.2"}
    options = Options(services=(make("w", "deaf"),), on_event=events.append, environment=own, **NOWHERE)
    async with Supervisor(tmp_path / "home", options):
        began = time.monotonic()
    assert time.monotonic() - began < 3
    (killed,) = events.of("w", Happening.KILLED)
    assert "within 0.3 s" in killed.message
    assert "at the next start" in killed.message  # nothing is lost


async def test_a_second_launcher_is_told_which_page_is_served(tmp_path, make):
    options = Options(services=(make("page", front=True),), **NOWHERE)
    async with Supervisor(tmp_path / "home", options) as first:
        with pytest.raises(AlreadyRunningError) as raised:
            await Supervisor(tmp_path / "home", options).__aenter__()
        assert raised.value.gateway_url == first.gateway_url
        assert first.gateway_url in raised.value.public_message
        assert Home(tmp_path / "home").read_state() is not None
    async with Supervisor(tmp_path / "home", options) as third:
        assert third.gateway_url == first.gateway_url  # a bookmark holds


async def test_a_port_that_is_taken_is_not_fought_for(tmp_path, make):
    options = Options(services=(make("page", front=True),), **NOWHERE)
    async with Supervisor(tmp_path / "one", options) as first:
        port = int(first.gateway_url.rpartition(":")[2])
        with pytest.raises(LocalSystemError, match="GATEWAY_PORT"):
            await Supervisor(
                tmp_path / "two", Options(services=options.services, gateway_port=port, **NOWHERE)
            ).__aenter__()
        (tmp_path / "three").mkdir()
        (tmp_path / "three" / "gateway_port").write_text(str(port))
        async with Supervisor(tmp_path / "three", options) as other:
            assert other.gateway_url != first.gateway_url


async def test_a_chosen_port_is_used(tmp_path, make):
    (port,) = free_ports(1)
    options = Options(services=(make("page", front=True),), gateway_port=port, **NOWHERE)
    async with Supervisor(tmp_path / "home", options) as system:
        assert system.gateway_url == f"http://127.0.0.1:{port}"
    assert is_free(port)


async def test_stop_is_noticed_by_wait(tmp_path, make):
    async with Supervisor(tmp_path / "home", Options(services=(make("worker"),), **NOWHERE)) as system:
        waiting = asyncio.create_task(system.wait())
        await asyncio.sleep(0.1)
        assert not waiting.done()
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(20):
            await waiting


LAUNCHER = """
import asyncio, sys
from pathlib import Path
from deploy.local.services import ServiceProgram
from deploy.local.supervisor import Options, Supervisor
async def main():
    command = (sys.executable, *sys.argv[2:])
    options = Options(services=(ServiceProgram("worker", command, "TEST_PORT"),), amqp_url="amqp://x", mongo_url="mongodb://x")
    async with Supervisor(Path(sys.argv[1]), options) as system:
        print("up", flush=True)
        await system.wait()
asyncio.run(main())
"""


@pytest.fixture
def launch(make):
    """Starts a supervisor as a process of its own and returns when it is up."""
    launchers = []

    def start(home):
        command = [sys.executable, "-c", LAUNCHER, str(home), *make("worker").command[1:]]
        launcher = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
        launchers.append(launcher)
        assert launcher.stdout.readline() == "up\n"
        return launcher

    yield start
    for launcher in launchers:
        launcher.kill()
        launcher.wait()
        launcher.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_it_in_good_order(tmp_path, launch, make, number):
    launcher = launch(tmp_path / "home")
    launcher.send_signal(number)
    assert launcher.wait(15) == 0
    assert [what for _, what, _ in make.notes()] == ["began", "ended"]
    assert not (tmp_path / "home" / "state.json").exists()


async def test_the_next_start_clears_what_a_killed_launcher_left(tmp_path, launch, make):
    home = tmp_path / "home"
    launcher = launch(home)
    state = Home(home).read_state()
    assert marked_processes(state.mark) == [state.processes["worker"].pid]
    launcher.kill()
    launcher.wait()
    assert (home / "state.json").exists()  # nobody was there to remove it
    async with Supervisor(home, Options(services=(make("worker"),), **NOWHERE)):
        assert marked_processes(state.mark) == []
        assert Home(home).read_state().launcher_pid == os.getpid()


def test_a_mark_that_would_match_everything_is_no_state(tmp_path):
    home = Home(tmp_path)
    (tmp_path / "state.json").write_text(
        json.dumps(
            {"launcher_pid": 1, "mark": "", "gateway_url": None, "amqp_url": "", "mongo_url": "", "processes": {}}
        )
    )
    assert home.read_state() is None
