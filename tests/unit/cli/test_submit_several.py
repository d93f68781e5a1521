"""Several files, folders and standard input, against a gateway that is played here."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from services.cli import main

REFUSED = "refused.mp4"


def _job(job_id: str, name: str, status: str) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "status": status,
        "title": None,
        "source": {"name": name, "size": 5},
        "submitted_at": "2026-03-01T09:30:00Z",
        "stages": [{"stage": "ingest", "status": "running", "units_done": 0, "units": 1}],
        "error": None,
        "warnings": [],
        "missing": [],
        "artifacts": [],
        "trace_id": "0" * 32,
        "revision": 7,
    }


class Played:
    """Takes every file but the refused one. A job ends as the stem of its file says, else as done."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.contents: list[bytes] = []
        self.away_after: int | None = None
        self.locked = False
        self.interrupted = ""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.method == "POST" and path == "/v1/jobs":
            return self._take(request.read())
        number = int(path.removeprefix("/v1/jobs/job-")[:8])
        name = self.names[number]
        if name == self.interrupted:
            raise KeyboardInterrupt
        stem = Path(name).stem
        status = stem if stem in ("partial", "failed", "cancelled") else "done"
        job = _job(f"job-{number:08}", name, status)
        return httpx.Response(200, text=f"id: 7\nevent: job\ndata: {json.dumps(job)}\n\n")

    def _take(self, body: bytes) -> httpx.Response:
        if self.locked:
            return httpx.Response(401, json={"detail": "Send a valid API key."})
        if self.away_after is not None and len(self.names) >= self.away_after:
            raise httpx.ConnectError("refused")
        found = re.search(rb'filename="([^"]*)"[^\n]*\n(?:[^\n]+\n)*\r\n(.*?)\r\n--', body, re.DOTALL)
        assert found
        name = found[1].decode()
        if name == REFUSED:
            return httpx.Response(422, json={"detail": "This is no recording."})
        self.names.append(name)
        self.contents.append(found[2])
        return httpx.Response(202, json=_job(f"job-{len(self.names) - 1:08}", name, "submitted"))


@pytest.fixture
def played(play: Callable[[Played], None]) -> Played:
    gateway = Played()
    play(gateway)
    return gateway


def run(*arguments: str, given: bytes | None = None) -> Any:
    return CliRunner().invoke(main.app, ["submit", *arguments], input=given, catch_exceptions=False)


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"video")


def test_each_file_is_a_job_and_a_line(played: Played, tmp_path: Path) -> None:
    write(tmp_path, "a.mp4", "b.pdf")
    result = run("a.mp4", "b.pdf", "a.mp4", "./b.pdf")
    assert result.exit_code == 0
    assert result.stdout == "job-00000000\ta.mp4\njob-00000001\tb.pdf\n"
    assert played.names == ["a.mp4", "b.pdf"]
    assert result.stderr.splitlines()[-1] == "2 submitted"


def test_what_cannot_be_sent_keeps_no_other(played: Played, tmp_path: Path) -> None:
    write(tmp_path, "a.mp4", REFUSED, "b.mp4", "locked.mp4")
    (tmp_path / "locked.mp4").unlink()
    (tmp_path / "locked.mp4").mkdir()  # an empty folder
    result = run("a.mp4", "gone.mp4", REFUSED, "locked.mp4", "b.mp4")
    assert result.exit_code == 1
    assert played.names == ["a.mp4", "b.mp4"]
    assert "gone.mp4: It does not exist." in result.stderr
    assert f"{REFUSED}: This is no recording." in result.stderr
    assert result.stderr.splitlines()[-1] == "2 submitted, 2 not sent or fetched"


def test_a_file_that_cannot_be_read_is_named(played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a.mp4", "b.mp4")
    opened = Path.open

    def refuse(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == "a.mp4":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    assert "a.mp4 cannot be read: Permission denied." in run("a.mp4").stderr
    result = run("a.mp4", "b.mp4")
    assert (result.exit_code, played.names) == (1, ["b.mp4"])


def test_a_folder_stands_for_its_recordings_and_documents(played: Played, tmp_path: Path) -> None:
    write(tmp_path, "course/week-10.mp4", "course/week-2.MKV", "course/notes.txt", "course/.hidden.mp4")
    write(tmp_path, "course/extra/paper.pdf")
    (tmp_path / "course" / "loop").symlink_to(tmp_path / "course")
    result = run("course")
    assert result.exit_code == 0
    assert played.names == ["week-2.MKV", "week-10.mp4"]
    assert result.stderr.splitlines() == [
        "Skipped: course/extra (a folder; --recursive takes it too)",
        "Skipped: course/loop (not a file)",
        "Skipped: course/notes.txt (not named like a recording or a PDF)",
        "2 submitted, 3 skipped",
    ]


def test_folders_within_folders_are_taken_where_that_is_asked_for(played: Played, tmp_path: Path) -> None:
    write(tmp_path, "course/b.mp4", "course/extra/paper.pdf", "course/extra/more/c.wav")
    (tmp_path / "course" / "extra" / "loop").symlink_to(tmp_path / "course")
    assert run("course", "--recursive").exit_code == 0
    assert played.names == ["b.mp4", "c.wav", "paper.pdf"]


def test_of_many_skipped_files_some_are_named(played: Played, tmp_path: Path) -> None:
    write(tmp_path, "course/a.mp4", *(f"course/note-{number}.txt" for number in range(25)))
    lines = run("course").stderr.splitlines()
    assert lines[-2:] == ["Skipped: 15 more", "1 submitted, 25 skipped"]
    assert len(lines) == 12


@pytest.mark.parametrize("arguments", [("empty",), ("empty", "gone.mp4"), ("notes",)])
def test_nothing_to_send_is_wrong_usage(played: Played, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path, "notes/a.txt")
    result = run(*arguments)
    assert result.exit_code == 2
    assert "nothing to send" in result.stderr
    assert played.names == []


def test_standard_input_is_a_file(played: Played, tmp_path: Path) -> None:
    result = run("-", "--name", "week 3.mp4", given=b"\x00video\xff")
    assert result.exit_code == 0
    assert result.stdout.strip() == "job-00000000"
    assert (played.names, played.contents) == (["week 3.mp4"], [b"\x00video\xff"])
    write(tmp_path, "a.mp4")
    assert run("a.mp4", "-", "-", given=b"more").exit_code == 0
    assert played.names[1:] == ["a.mp4", "standard input"]


def test_standard_input_that_is_empty_is_refused(played: Played) -> None:
    result = run("-", given=b"")
    assert (result.exit_code, result.stderr.strip()) == (1, "Standard input is empty.")


def test_a_terminal_is_no_standard_input(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.cli.sources._is_terminal", lambda: True)
    result = run("-")
    assert result.exit_code == 1
    assert "lectern submit - < FILE" in result.stderr


@pytest.mark.parametrize(
    ("names", "exit_status"),
    [
        (("a", "b"), 0),
        (("a", "partial"), 3),
        (("partial", "failed", "cancelled"), 4),
        (("partial", "cancelled"), 5),
        (("failed", "refused"), 1),
    ],
)
def test_the_exit_status_is_that_of_the_worst(
    played: Played, tmp_path: Path, names: tuple[str, ...], exit_status: int
) -> None:
    files = [f"{name}.mp4" for name in names]
    write(tmp_path, *files)
    result = run(*files, "--wait", "--json", "--output", "out")
    assert result.exit_code == exit_status
    content = json.loads(result.stdout)
    ends = {"a": "done", "b": "done"}
    sent = [name for name in names if name != "refused"]
    assert [job["status"] for job in content["jobs"]] == [ends.get(name, name) for name in sent]
    assert [fault["file"] for fault in content["faults"]] == [file for file in files if file == REFUSED]


def test_json_tells_what_was_skipped(played: Played, tmp_path: Path) -> None:
    write(tmp_path, "course/a.mp4", "course/b.txt")
    content = json.loads(run("course", "--json").stdout)
    assert content["skipped"] == [{"file": "course/b.txt", "reason": "not named like a recording or a PDF"}]
    assert [job["job_id"] for job in content["jobs"]] == ["job-00000000"]


def test_an_interrupted_wait_tells_how_to_go_on(played: Played, tmp_path: Path) -> None:
    write(tmp_path, "a.mp4", "b.mp4", "c.mp4")
    played.interrupted = "b.mp4"
    result = run("a.mp4", "b.mp4", "c.mp4", "--wait")
    assert result.exit_code == 130
    assert "done  a.mp4" in result.stdout
    assert result.stderr.splitlines()[-1].startswith("2 jobs go on, and `lectern jobs` lists them")


@pytest.mark.parametrize("wait", [(), ("--wait",)])
def test_a_gateway_that_goes_away_is_not_asked_again(played: Played, tmp_path: Path, wait: tuple[str, ...]) -> None:
    write(tmp_path, "a.mp4", "b.mp4", "c.mp4")
    played.away_after = 1
    result = run("a.mp4", "b.mp4", "c.mp4", *wait)
    assert result.exit_code == 1
    assert "Not sent: b.mp4\nNot sent: c.mp4" in result.stderr
    assert "`lectern fetch job-00000000 --wait`" in result.stderr
    assert "No gateway answers" in result.stderr


def test_what_was_sent_before_the_gateway_went_away_is_in_the_json(played: Played, tmp_path: Path) -> None:
    write(tmp_path, "a.mp4", "b.mp4")
    played.away_after = 1
    result = run("a.mp4", "b.mp4", "--json")
    assert result.exit_code == 1
    assert [job["job_id"] for job in json.loads(result.stdout)["jobs"]] == ["job-00000000"]


def test_a_key_that_is_not_good_ends_everything_at_once(played: Played, tmp_path: Path) -> None:
    write(tmp_path, "a.mp4", "b.mp4")
    played.locked = True
    result = run("a.mp4", "b.mp4")
    assert result.exit_code == 1
    assert result.stderr.count("does not know the API key in LECTERN_API_KEY") == 1
