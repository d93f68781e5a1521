"""The command against a gateway that is played here."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from services.cli import main
from services.cli.client import Client
from services.cli.connection import CommandError, Connection, find_gateway, home_folder
from services.cli.downloads import Fetched, folder_name, safe_path
from services.cli.report import _places, plain

JOB = "job-00000001"
PDF = b"%PDF-1.7 pages"


def job(status: str = "done", **changes: Any) -> dict[str, Any]:
    finished = status in ("done", "partial")
    artifact = {
        "name": "handout.pdf",
        "size": len(PDF),
        "sha256": hashlib.sha256(PDF).hexdigest(),
        "media_type": "application/pdf",
        "url": f"/v1/jobs/{JOB}/artifacts/handout.pdf",
    }
    return {
        "job_id": JOB,
        "status": status,
        "title": None,
        "source": {"name": "week 3.mp4", "size": 5},
        "submitted_at": "2026-03-01T09:30:00Z",
        "stages": [{"stage": "ingest", "status": "done" if finished else "running", "units_done": 1, "units": 1}],
        "error": {"code": "x", "message": "Damaged.", "stage": "ingest"} if status == "failed" else None,
        "warnings": ["w"],
        "missing": ["captions.vtt: no speech"] if status == "partial" else [],
        "artifacts": [artifact] if finished else [],
        "trace_id": "0" * 32,
        "revision": 7,
    } | changes


class Played:
    """Answers like a gateway; `outcome` is what the job comes to."""

    def __init__(self) -> None:
        self.outcome = job()
        self.content = PDF
        self.uploads: list[tuple[str, bytes]] = []
        self.broken_lines = 0
        self.seen: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.headers["authorization"] != "Bearer key":
            return httpx.Response(401, json={"detail": "Send a valid API key.", "errors": None})
        if request.method == "POST" and path == "/v1/jobs":
            self.uploads.append((request.headers["idempotency-key"], request.read()))
            if self.broken_lines:
                self.broken_lines -= 1
                raise httpx.ReadError("reset")
            return httpx.Response(202, json=job("submitted"))
        if path.endswith("/events"):
            return self._events(request)
        if "/artifacts/" in path:
            return httpx.Response(200, content=self.content)
        if path == f"/v1/jobs/{JOB}":
            return httpx.Response(200, json=self.outcome)
        return httpx.Response(404, json={"detail": "There is no such job."})

    def _events(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request.headers.get("last-event-id"))
        if len(self.seen) == 1:  # the line breaks before the end
            return httpx.Response(
                200, text=f"retry: 5\n\nid: 3\nevent: job\ndata: {json.dumps(job('running', revision=3))}\n\n"
            )
        return httpx.Response(200, text=f": heartbeat\n\nid: 7\nevent: job\ndata: {json.dumps(self.outcome)}\n\n")


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch, play: Callable[[Played], None]) -> Played:
    gateway = Played()
    play(gateway)
    monkeypatch.setattr("time.sleep", lambda _: None)
    return gateway


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main.app, list(arguments), catch_exceptions=False)


@pytest.fixture
def lecture(tmp_path: Path) -> str:
    path = tmp_path / "week 3.mp4"
    path.write_bytes(b"video")
    return str(path)


@pytest.mark.parametrize(("status", "exit_status"), [("done", 0), ("partial", 3), ("failed", 4)])
def test_waiting_ends_with_one_json_object(played: Played, lecture: str, status: str, exit_status: int) -> None:
    played.outcome = job(status)
    result = run("submit", lecture, "--wait", "--json", "--output", "out")
    assert result.exit_code == exit_status
    content = json.loads(result.stdout)
    assert set(content) == {"job_id", "status", "trace_id", "artifacts", "warnings"} | (
        {"error"} if status == "failed" else set()
    )
    assert played.seen == [None, "3"]
    if status != "failed":
        [artifact] = content["artifacts"]
        assert Path(artifact["path"]).read_bytes() == PDF
        assert artifact["sha256"] == hashlib.sha256(PDF).hexdigest()


def test_an_upload_whose_answer_is_lost_is_sent_again_as_the_same(played: Played, lecture: str) -> None:
    played.broken_lines = 1
    assert run("submit", lecture).exit_code == 0
    keys = [key for key, _ in played.uploads]
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_a_file_that_is_gone_before_it_is_sent_again_is_told(
    played: Played, lecture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    played.broken_lines = 1
    monkeypatch.setattr("time.sleep", lambda _: Path(lecture).unlink())
    result = run("submit", lecture)
    assert result.exit_code == 1
    assert "cannot be read: No such file or directory." in result.stderr


def test_a_damaged_download_is_refused(played: Played, lecture: str, tmp_path: Path) -> None:
    played.content = PDF + b"!"
    result = run("fetch", JOB, "--output", "out")
    assert result.exit_code == 1
    assert "damaged" in result.stderr
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "exit_status", "words"),
    [
        (["submit", "nothing.mp4"], 2, "does not exist"),
        (["submit"], 2, "Missing argument"),
        (["jobs", "--status", "lost"], 2, "Invalid value"),
        (["show", "job-99999999"], 1, "There is no such job."),
        (["fetch", "job-99999999"], 1, "There is no such job."),
    ],
)
def test_wrong_usage(played: Played, arguments: list[str], exit_status: int, words: str) -> None:
    result = run(*arguments)
    assert result.exit_code == exit_status
    assert words in result.stderr
    assert result.stdout == ""


def test_an_unreachable_gateway_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LECTERN_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("LECTERN_API_KEY", "key")
    result = run("jobs")
    assert result.exit_code == 1
    assert "http://127.0.0.1:1" in result.stderr


def test_the_state_folder_names_the_gateway(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("LECTERN_URL", "LECTERN_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(CommandError, match="lectern up"):
        find_gateway(tmp_path)
    (tmp_path / "state.json").write_text(json.dumps({"gateway_url": "http://127.0.0.1:5/"}))
    with pytest.raises(CommandError, match="API key"):
        find_gateway(tmp_path)
    (tmp_path / "api-key").write_text("lk_x\n")
    assert find_gateway(tmp_path) == Connection("http://127.0.0.1:5", "lk_x")


def test_the_state_folder_is_found_from_below_and_only_ones_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("LECTERN_HOME", raising=False)
    below = tmp_path / "lectures" / "week-3"
    below.mkdir(parents=True)
    (tmp_path / ".lectern").mkdir()
    monkeypatch.chdir(below)
    assert home_folder() == Path(".lectern")  # what is above is nothing of Lectern's
    (tmp_path / ".lectern" / "state.json").write_text("{}")
    assert home_folder() == tmp_path / ".lectern"
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    assert home_folder() == Path(".lectern")
    monkeypatch.setenv("LECTERN_HOME", "elsewhere")
    assert home_folder() == Path("elsewhere")


@pytest.mark.parametrize(
    "name", ["../x.pdf", "/etc/x.pdf", "a/../../x.pdf", "..", "a\\..\\x.pdf", ".bashrc", "a/b/c.pdf", "x\x00.pdf", ""]
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(CommandError):
        safe_path(tmp_path, name)


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "slides").symlink_to(tmp_path)
    with pytest.raises(CommandError):
        safe_path(inside, "slides/001.png")


@given(st.text(max_size=300))
def test_a_jobs_folder_is_one_plain_name(name: str) -> None:
    folder = folder_name(job(source={"name": name}))
    assert Path(folder).name == folder
    assert folder.endswith("-job-0000")
    assert not folder.startswith(".")


@given(st.text())
def test_a_terminal_obeys_nothing_of_a_source(text: str) -> None:
    assert "\x1b" not in plain(text + "\x1b[2J")


@pytest.mark.parametrize("name", ["گراف\u200cها", "👩\u200d🏫"])
def test_names_keep_the_joiners_that_they_are_spelled_with(name: str) -> None:
    assert plain(name) == name
    assert plain(f"{name}\u202e\n") == f"{name}  "


def test_the_key_goes_to_the_gateway_alone() -> None:
    client = Client(Connection("http://lectern.test", "key"), httpx.MockTransport(Played()))
    with client, pytest.raises(CommandError), client.download("http://evil.test/x"):
        pass


def test_the_files_of_a_folder_share_a_line(tmp_path: Path) -> None:
    files = [
        Fetched(name=name, path=tmp_path / name, size=1000, sha256="0" * 64)
        for name in ("handout.pdf", "slides/001.png", "slides/002.png")
    ]
    assert _places(files) == [f"{tmp_path}/handout.pdf  (1.0 kB)", f"{tmp_path}/slides/  (2 files, 2.0 kB)"]


def test_a_line_that_breaks_after_a_long_quiet_time_is_taken_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 1000.0
    asked: list[str | None] = []

    class QuietThenBroken(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            nonlocal now_s
            yield f"id: 3\nevent: job\ndata: {json.dumps(job('running', revision=3))}\n\n".encode()
            for _ in range(20):
                now_s += 15  # heartbeats of a unit that takes five minutes
                yield b": heartbeat\n\n"
            raise httpx.ReadError("reset")

    def gateway(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("last-event-id"))
        if len(asked) == 1:
            return httpx.Response(200, stream=QuietThenBroken())
        return httpx.Response(200, text=f"id: 7\nevent: job\ndata: {json.dumps(job())}\n\n")

    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr("time.monotonic", lambda: now_s)
    with Client(Connection("http://lectern.test", "key"), httpx.MockTransport(gateway)) as client:
        assert [change["status"] for change in client.follow(JOB)] == ["running", "done"]
    assert asked == [None, "3"]


def test_a_gateway_that_stays_away_is_told_after_two_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 1000.0

    def gateway(request: httpx.Request) -> httpx.Response:
        nonlocal now_s
        now_s += 30
        raise httpx.ConnectError("refused", request=request)

    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr("time.monotonic", lambda: now_s)
    client = Client(Connection("http://lectern.test", "key"), httpx.MockTransport(gateway))
    with client, pytest.raises(CommandError, match="two minutes"):
        list(client.follow(JOB))
    assert now_s == 1150.0
