"""Cancelling, retrying, required products and interrupted waiting, against a gateway that is played here."""

import io
import json
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console
from typer.testing import CliRunner

import shared
from services.cli import main
from services.cli.progress import watch
from services.cli.report import print_jobs

DOCS = Path(shared.__file__).resolve().parents[1] / "docs"
JOB = "job-00000001"
MISSING = "The captions could not be made. The engine ended early."


def job(status: str, stage: str = "running", **changes: Any) -> dict[str, Any]:
    return {
        "job_id": JOB,
        "status": status,
        "title": None,
        "source": {"name": "week 3.mp4", "size": 5},
        "submitted_at": "2026-03-01T09:30:00Z",
        "stages": [
            {"stage": "ingest", "status": stage, "units_done": 0, "units": 1},
            {"stage": "transcription", "status": "waiting", "units_done": 0, "units": None},
        ],
        "error": None,
        "warnings": [],
        "missing": [],
        "artifacts": [],
        "trace_id": "0" * 32,
        "revision": 7,
    } | changes


class Played:
    """Answers like a gateway, or refuses with 409; remembers what was asked for. Followed jobs end as `end`."""

    def __init__(self) -> None:
        self.refusal = ""
        self.end = job("done", "done")
        self.interrupted = False
        self.asked: list[tuple[str, str]] = []
        self.form = b""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.method, request.url.path))
        assert len(self.asked) < 10, "asks for ever"
        asked = request.url.path.removeprefix("/v1/jobs").removeprefix(f"/{JOB}")
        if request.method == "POST" and self.refusal:
            return httpx.Response(409, json={"detail": self.refusal})
        match request.method, asked:
            case "POST", "":
                self.form = request.read()
                return httpx.Response(202, json=job("submitted"))
            case "POST", "/cancel":
                return httpx.Response(202, json=job("cancelled", "cancelled"))
            case "POST", "/retry":
                return httpx.Response(202, json=job("running", missing=[MISSING]))
            case "GET", "/events":
                if self.interrupted:
                    raise KeyboardInterrupt
                return httpx.Response(200, text=f"id: 7\nevent: job\ndata: {json.dumps(self.end)}\n\n")
            case "GET", "":
                found = [self.end] if request.url.params.get("status") == self.end["status"] else []
                shown = self.end if request.url.path.endswith(JOB) else {"jobs": found, "cursor": None}
                return httpx.Response(200, json=shown)
        return httpx.Response(404, json={"detail": "There is no such job."})


@pytest.fixture
def played(play: Callable[[Played], None]) -> Played:
    gateway = Played()
    play(gateway)
    return gateway


@pytest.fixture
def lecture(tmp_path: Path) -> str:
    path = tmp_path / "week 3.mp4"
    path.write_bytes(b"video")
    return str(path)


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main.app, list(arguments), catch_exceptions=False)


@pytest.mark.parametrize(("command", "status"), [("cancel", "cancelled"), ("retry", "running")])
def test_a_job_is_cancelled_and_retried(played: Played, command: str, status: str) -> None:
    result = run(command, JOB)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{status}  week 3.mp4")
    assert MISSING not in result.stdout  # it is being made
    assert played.asked == [("POST", f"/v1/jobs/{JOB}/{command}")]
    told = json.loads(run(command, JOB, "--json").stdout)
    assert (told["job_id"], told["status"]) == (JOB, status)


@pytest.mark.parametrize("arguments", [("cancel",), ("retry",), ("retry", "--wait"), ("retry", "--json")])
def test_a_refusal_says_why(played: Played, arguments: tuple[str, ...]) -> None:
    played.refusal = "This job is done: nothing is missing."
    result = run(*arguments, JOB)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.strip() == played.refusal
    assert len(played.asked) == 1


@pytest.mark.parametrize("command", ["cancel", "retry"])
def test_a_job_that_is_not_there(played: Played, command: str) -> None:
    result = run(command, "job-99999999")
    assert result.exit_code == 1
    assert "There is no such job." in result.stderr


@pytest.mark.parametrize(
    ("status", "exit_status"), [("done", 0), ("partial", 3), ("failed", 4), ("cancelled", 5), ("lost", 1)]
)
def test_waiting_for_another_run_ends_with_its_status(
    played: Played, monkeypatch: pytest.MonkeyPatch, status: str, exit_status: int
) -> None:
    monkeypatch.setattr("services.cli.client.TERMINAL", {status})
    played.end = job(status, "done")
    result = run("retry", JOB, "--wait", "--json")
    assert result.exit_code == exit_status
    assert json.loads(result.stdout)["status"] == status


def test_a_cancelled_job_leaves_no_empty_folder(played: Played, lecture: str, tmp_path: Path) -> None:
    played.end = job("cancelled", "cancelled")
    result = run("submit", lecture, "--wait")
    assert result.exit_code == 5
    assert result.stdout.startswith("cancelled  week 3.mp4")
    assert "ingest cancelled" in result.stderr
    assert list(tmp_path.iterdir()) == [Path(lecture)]


@pytest.mark.parametrize("command", ["submit", "retry", "fetch"])
def test_an_interrupted_wait_leaves_the_job_alone(played: Played, lecture: str, command: str) -> None:
    played.interrupted = True
    played.end = job("running")
    result = run(command, lecture if command == "submit" else JOB, "--wait")
    assert result.exit_code == 130
    assert result.stderr.splitlines() == [
        f"The job goes on: `lectern fetch {JOB} --wait` waits for its files, `lectern cancel {JOB}` stops it."
    ]
    assert ("POST", f"/v1/jobs/{JOB}/cancel") not in played.asked


def test_files_are_fetched_when_the_job_has_ended(played: Played) -> None:
    played.end = job("partial", "done")
    result = run("fetch", JOB, "--wait")
    assert result.exit_code == 3
    assert ("GET", f"/v1/jobs/{JOB}/events") in played.asked


@pytest.mark.parametrize(
    ("given", "sent"),
    [((), b"pdf"), (("--required", "html, pdf,,html"), b"html,pdf"), (("--required=data",), b"data")],
)
def test_required_products_go_with_the_file(played: Played, lecture: str, given: tuple[str, ...], sent: bytes) -> None:
    assert run("submit", lecture, *given).exit_code == 0
    assert b'name="required"\r\n\r\n' + sent + b"\r\n" in played.form


@pytest.mark.parametrize("given", ["docx", "pdf,docx", "", ","])
def test_a_product_that_is_not_there_is_refused_with_those_that_are(
    played: Played, lecture: str, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    result = run("submit", lecture, "--required", given)
    assert result.exit_code == 2
    assert "pdf, html, markdown, captions, data, pictures" in result.stderr
    assert ("docx" in result.stderr) == ("docx" in given)
    assert played.asked == []


def test_cancelled_jobs_are_listed(played: Played) -> None:
    played.end = job("cancelled", "cancelled")
    result = run("jobs", "--status", "cancelled")
    assert result.exit_code == 0
    assert "ingest cancelled" in result.stdout
    assert JOB in result.stdout


def test_show_tells_what_is_missing_and_why_a_retry_failed(played: Played) -> None:
    error = {"code": "x", "message": "The store is full.", "stage": "rendering"}
    played.end = job("partial", "done", missing=[MISSING], error=error)
    told = run("show", JOB).stdout
    assert f"missing: {MISSING}" in told
    assert error["message"] in told


def test_a_sentence_stays_one_line_for_other_programs(played: Played) -> None:
    long = "of words that are more than a line of any terminal holds, and then some more of them, " * 2 + "to the end"
    error = {"code": "x", "message": f"Fault {long}", "stage": "rendering"}
    played.end = job("partial", title=f"Title {long}", warnings=[f"Warning {long}"], missing=[long], error=error)
    told = run("show", JOB).stdout.splitlines()
    assert sum(line.endswith(long) for line in told) == 4


def _changes() -> Iterator[dict[str, Any]]:
    yield job("submitted")
    yield job("running")
    yield job("cancelled", "cancelled")


@pytest.mark.parametrize("is_terminal", [False, True])
def test_progress_of_a_job_that_waits_and_is_cancelled(*, is_terminal: bool) -> None:
    written = io.StringIO()
    console = Console(file=written, force_terminal=is_terminal, width=100)
    waiting = list(_changes())[:1]
    watch(console, iter(waiting))
    assert "waiting" in written.getvalue()
    assert "ingest" not in written.getvalue()  # nothing runs yet
    last = watch(console, _changes())
    assert last is not None
    assert last["status"] == "cancelled"
    ending = " ".join(written.getvalue().splitlines()[-3:])
    assert "ingest" in ending
    assert "cancelled" in ending


def test_a_job_that_waits_names_no_stage() -> None:
    written = io.StringIO()
    print_jobs(Console(file=written, width=100), [job("submitted")])
    assert "ingest" not in written.getvalue()


@pytest.mark.parametrize("option", ["--version", "-h"])
def test_version_and_help_need_no_gateway(option: str) -> None:
    result = CliRunner().invoke(main.app, [option])
    assert result.exit_code == 0
    assert (f"lectern {version('lectern')}" if option == "--version" else "submit") in result.stdout


def test_the_versions_of_the_contracts_are_told_apart_from_the_products() -> None:
    """The product has one version, and each contract its own, which its document says."""
    said = CliRunner().invoke(main.app, ["--version"]).stdout
    documents = {name: json.loads((DOCS / f"{name}.json").read_text())["info"] for name in ("openapi", "asyncapi")}
    product, http, events = said.splitlines()
    assert product == f"lectern {version('lectern')}" == f"lectern {shared.__version__}"
    assert http.endswith(f"{documents['openapi']['version']} (docs/openapi.json)")
    assert events.endswith(f"{documents['asyncapi']['version']} (docs/asyncapi.json)")
    for info in documents.values():
        assert "`lectern --version`" in info["description"]


def test_piped_jobs_are_a_line_each_with_everything_whole() -> None:
    written = io.StringIO()
    listed = job("done") | {"title": "Tides\tand \x1b[31m" + "long " * 60, "submitted_at": "2026-03-01T10:20:30.123Z"}
    print_jobs(Console(file=written, width=40), [listed, listed])
    lines = written.getvalue().splitlines()
    assert len(lines) == 2
    identity, status, _stage, when, title = lines[0].split("\t")
    assert (identity, status, when) == (listed["job_id"], "done", "2026-03-01 10:20")
    assert title.startswith("Tides and ")
    assert len(title) > 300


def test_on_a_terminal_jobs_have_title_and_date() -> None:
    written = io.StringIO()
    listed = job("done") | {"title": "Tides", "submitted_at": "2026-03-01T10:20:30.123Z"}
    print_jobs(Console(file=written, width=160, force_terminal=True, color_system=None), [listed])
    assert "2026-03-01 10:20" in written.getvalue()
    assert "Tides" in written.getvalue()


@pytest.mark.parametrize(
    ("given", "exit_status", "words"),
    [("0192", 0, "done"), ("019", 1, "no such job"), ("7abc", 1, "no such job"), ("0293", 1, "2 jobs begin")],
)
def test_the_beginning_of_an_id_is_enough(
    play: Callable[[Callable[[httpx.Request], httpx.Response]], None], given: str, exit_status: int, words: str
) -> None:
    ids = ["0192f3c4-7a1e-4d3c-9c55-6d1f0a2b3c4d", *(f"0293{n}" + "0" * 31 for n in "12")]

    def gateway(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/jobs":
            return httpx.Response(200, json={"jobs": [job("done") | {"job_id": i} for i in ids], "cursor": None})
        if request.url.path == f"/v1/jobs/{ids[0]}":
            return httpx.Response(200, json=job("done"))
        return httpx.Response(404, json={"detail": "There is no such job."})

    play(gateway)
    result = CliRunner().invoke(main.app, ["show", given])
    assert result.exit_code == exit_status
    assert words in result.stdout + result.stderr
