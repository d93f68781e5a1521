"""`lectern up` before, beside and after a whole system: what it does with the source that it was given."""

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from deploy.local.home import Home, HomeLock, SystemState
from services.cli import main, up
from services.cli.client import Client

JOB = "0192f3c4-0000-7000-8000-000000000001"
LINK = "http://lectern.test/sign-in?token=t"


def job(status: str) -> dict[str, Any]:
    return {
        "job_id": JOB,
        "status": status,
        "title": None,
        "source": {"name": "talk.mp4"},
        "stages": [],
        "error": {"message": "Damaged."} if status == "failed" else None,
        "warnings": [],
        "missing": [],
        "artifacts": [],
        "trace_id": "0" * 32,
        "revision": 2,
    }


class Played:
    """The gateway of a system that runs."""

    def __init__(self) -> None:
        self.ready = True
        self.outcome = "done"
        self.refusal = ""
        self.linked = False
        self.uploads: list[bytes] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/health/ready":
            return httpx.Response(200 if self.ready else 503, json={})
        assert request.headers["authorization"] == "Bearer lk_x"
        if path == "/v1/sign-in-links":
            self.linked = True
            return httpx.Response(201, json={"url": LINK})
        if path.endswith("/events"):
            return httpx.Response(200, text=f"id: 2\nevent: job\ndata: {json.dumps(job(self.outcome))}\n\n")
        if self.refusal:
            return httpx.Response(413, json={"detail": self.refusal, "errors": None})
        self.uploads.append(request.read())
        return httpx.Response(202, json=job("submitted"))


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Played:
    played = Played()
    monkeypatch.delenv("GATEWAY_BOOTSTRAP_KEY", raising=False)
    monkeypatch.setattr(up, "Client", lambda connection: Client(connection, httpx.MockTransport(played)))
    return played


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    Home(folder).prepare()
    (folder / "api-key").write_text("lk_x\n")
    return folder


@pytest.fixture
def running(home: Path, gateway: Played) -> Iterator[Callable[[str | None], None]]:
    """Lets another launcher hold the state folder; it serves the page at the address that it is given."""
    lock = HomeLock(Home(home))
    lock.acquire()

    def serve_at(url: str | None) -> None:
        nowhere = {"amqp_url": "", "mongo_url": "", "processes": {}}
        state = {"launcher_pid": os.getpid(), "mark": "0" * 24, "gateway_url": url, **nowhere}
        Home(home).write_state(SystemState.model_validate(state))

    serve_at("http://lectern.test")
    yield serve_at
    lock.release()


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    path = tmp_path / "talk.mp4"
    path.write_bytes(b"video of a talk")
    return path


def run(*arguments: object) -> Any:
    return CliRunner().invoke(main.app, ["up", *map(str, arguments)], catch_exceptions=False)


@pytest.mark.usefixtures("running")
def test_a_source_goes_to_the_system_that_runs_already(home: Path, gateway: Played, talk: Path) -> None:
    result = run(talk, "--home", home)
    assert result.exit_code == 0
    assert b"video of a talk" in gateway.uploads[0]
    assert "http://lectern.test" in result.stdout
    assert LINK in result.stdout
    assert "done" in result.stdout


@pytest.mark.usefixtures("running")
def test_the_sample_goes_there_as_well(home: Path, gateway: Played) -> None:
    assert run("--sample", "--home", home).exit_code == 0
    assert b'filename="lecture.mp4"' in gateway.uploads[0]


@pytest.mark.usefixtures("running")
def test_what_becomes_of_it_is_told_by_the_exit_status(home: Path, gateway: Played, talk: Path) -> None:
    gateway.outcome = "failed"
    result = run(talk, "--home", home)
    assert result.exit_code == 4
    assert "Damaged." in result.stdout
    assert LINK in result.stdout


def test_a_system_that_still_starts_is_sent_nothing(
    home: Path, gateway: Played, talk: Path, running: Callable[[str | None], None]
) -> None:
    gateway.ready = False
    for url in ("http://lectern.test", None):
        running(url)
        result = run(talk, "--home", home)
        assert result.exit_code == 1
        assert "still starting" in result.stderr
        assert "try again" in result.stderr
    assert gateway.uploads == []


@pytest.mark.usefixtures("running")
def test_without_a_source_it_is_told_where_the_system_is(home: Path) -> None:
    result = run("--home", home)
    assert result.exit_code == 1
    assert "already runs" in result.stderr
    assert "http://lectern.test" in result.stderr
    assert "lectern sign-in" in result.stderr


def unusable(folder: Path) -> dict[str, tuple[str, str]]:
    """Sources that no system has to be started for, and what is said of them."""
    (folder / "empty.pdf").touch()
    (folder / "secret.pdf").write_bytes(b"%PDF-1.7")
    (folder / "secret.pdf").chmod(0)
    (folder / "lectures").mkdir()
    os.mkfifo(folder / "pipe")
    return {
        "missing": ("nothing.mp4", "does not exist"),
        "empty": ("empty.pdf", "is empty"),
        "unreadable": ("secret.pdf", "cannot be read"),
        "folder": ("lectures", "lectern submit"),
        "below a file": ("empty.pdf/talk.mp4", "cannot be read"),
        "pipe": ("pipe", "no file"),
    }


@pytest.mark.parametrize("kind", ["missing", "empty", "unreadable", "folder", "below a file", "pipe"])
def test_a_source_that_cannot_be_sent_is_told_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    name, words = unusable(tmp_path)[kind]
    if kind == "unreadable" and os.geteuid() == 0:
        monkeypatch.setattr(os, "access", lambda *_, **__: False)  # root may read everything
    monkeypatch.setattr(up, "Supervisor", lambda *_: pytest.fail("it starts"))
    result = run(tmp_path / name, "--home", tmp_path / "home")
    assert result.exit_code == 2
    assert str(tmp_path / name) in result.stderr
    assert words in result.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.usefixtures("running")
def test_a_tilde_that_the_shell_left_is_the_users_folder(
    home: Path, gateway: Played, talk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(talk.parent))
    assert run("~/talk.mp4", "--home", home).exit_code == 0
    assert gateway.uploads


def test_the_tilde_of_nobody_is_a_part_of_the_name(tmp_path: Path) -> None:
    result = run("~nobody-has-this-name/talk.mp4", "--home", tmp_path)
    assert result.exit_code == 2
    assert "~nobody-has-this-name/talk.mp4 does not exist" in result.stderr


class Started:
    """A supervisor whose system is up at once, and is asked to end when the link was told."""

    gateway_url = "http://lectern.test"

    def __init__(self, gateway: Played) -> None:
        self._gateway = gateway

    async def __aenter__(self) -> "Started":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def wait(self) -> None:
        for _ in range(500):
            await asyncio.sleep(0.02)
            if self._gateway.linked:
                return


def test_a_source_that_is_refused_hides_no_link(
    home: Path, gateway: Played, talk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.refusal = "A file may have 4 GiB."
    monkeypatch.setattr(up, "Supervisor", lambda *_: Started(gateway))
    result = run(talk, "--home", home)
    assert gateway.refusal in result.stdout
    assert LINK in result.stdout
