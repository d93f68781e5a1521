"""`lectern dead-letters` against a gateway that is played here."""

import io
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from rich.console import Console
from typer.testing import CliRunner

from services.cli import main
from services.cli.dead_letters import _print_list

LETTER = "5f2c9b7a1d3e4f60718293a4-0"


def letter(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"{number:024x}-0",
        "state": "buried",
        "queue": "transcription.speech",
        "job_id": "job-00000001",
        "reason": "attempts-exhausted",
        "code": "engine",
        "public_message": "A processing engine failed on this file.",
        "attempts": 5,
        "replays": 0,
        "replayable": True,
        "buried_at": "2026-03-01T09:47:12.250000Z",
        "size": 912,
        "message_id": "m",
        "trace_id": "4" * 32,
        "trace_url": None,
    } | changes


class Played:
    """Answers like a gateway that has `count` dead letters, and remembers what was asked for."""

    def __init__(self) -> None:
        self.count = 3
        self.body: dict[str, Any] = {"json": {"job_id": "job-00000001"}, "base64": None, "truncated": False}
        self.asked: list[tuple[str, str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        query = dict(request.url.params)
        path = request.url.path.removeprefix("/v1/dead-letters")
        self.asked.append((request.method, path, json.loads(request.content) if request.content else query))
        if request.method == "GET":
            return self._shown(path, query)
        if path.startswith("/lost"):
            return httpx.Response(409, json={"detail": "This dead letter is being replayed already."})
        count = 1 if LETTER in path else self.count
        answer = {"purged": count} if request.method == "DELETE" else {"replaying": count, "unreplayable": 1}
        return httpx.Response(200, json=answer)

    def _shown(self, path: str, query: dict[str, str]) -> httpx.Response:
        if path:
            attempt = {"at": "2026", "queue": "q", "attempt": 1, "error": "EngineError", "text": "\x1b[2Jbusy"}
            content = letter() | {"history": [attempt], "body": self.body, "headers": {}, "properties": {}}
            return httpx.Response(200, json=content)
        start, limit = int(query.get("cursor", 0)), int(query["limit"])
        end = min(start + limit, self.count)
        cursor = str(end) if end < self.count else None
        letters = [letter(number) for number in range(start, end)]
        return httpx.Response(200, json={"dead_letters": letters, "cursor": cursor})


@pytest.fixture
def played(play: Callable[[Played], None]) -> Played:
    gateway = Played()
    play(gateway)
    return gateway


def run(*arguments: str, typed: str | None = None) -> Any:
    return CliRunner().invoke(main.app, ["dead-letters", *arguments], input=typed, catch_exceptions=False)


def test_a_list_is_read_page_by_page(played: Played) -> None:
    played.count = 250
    result = run("list", "--json", "--limit", "230", "--queue", "q", "--job", "j", "--reason", "r")
    assert len(json.loads(result.stdout)["dead_letters"]) == 230
    assert [query.get("cursor") for _, _, query in played.asked] == [None, "100", "200"]
    assert all(query | {"queue": "q", "job_id": "j", "reason": "r"} == query for _, _, query in played.asked)


def test_a_list_for_other_programs_is_a_line_each(played: Played) -> None:
    result = run("list")
    assert result.exit_code == 0
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert [line[0] for line in lines] == [f"{number:024x}-0" for number in range(played.count)]
    assert all(len(line) == 5 and line[1].endswith("-03-01 09:47") for line in lines)
    played.count = 0
    assert run("list").stdout == "No dead letters.\n"


def test_a_list_on_a_terminal_is_a_table() -> None:
    written = io.StringIO()
    _print_list(Console(file=written, force_terminal=True, color_system=None, width=160), [letter(1)])
    heading, line = written.getvalue().splitlines()
    assert heading.split()[:3] == ["id", "died", "queue"]
    assert f"{1:024x}-0" in line


def test_showing_one(played: Played) -> None:
    result = run("show", LETTER)
    assert "attempts-exhausted (engine)" in result.stdout
    assert '"job_id": "job-00000001"' in result.stdout
    assert "\x1b" not in result.stdout
    played.body = {"json": None, "base64": "AAAA", "truncated": True}
    assert "base64 (beginning): AAAA" in run("show", LETTER).stdout
    assert json.loads(run("show", LETTER, "--json").stdout)["body"]["base64"] == "AAAA"


def test_replaying_by_id_and_by_filter(played: Played) -> None:
    assert "1 dead letter on the way back" in run("replay", LETTER).stdout
    assert "3 dead letters on the way back" in run("replay", "--queue", "q", "--reason", "r").stdout
    result = run("replay", "--all", "--json")
    assert json.loads(result.stdout) == {"replaying": 3, "unreplayable": 1}
    assert played.asked == [
        ("POST", f"/{LETTER}/replay", {}),
        ("POST", "/replay", {"queue": "q", "reason": "r"}),
        ("POST", "/replay", {"all": True}),
    ]


def test_purging_by_id_does_not_ask(played: Played) -> None:
    assert "1 dead letter thrown away" in run("purge", LETTER).stdout
    assert played.asked == [("DELETE", f"/{LETTER}", {})]


@pytest.mark.parametrize(("typed", "purged"), [("y\n", True), ("n\n", False), ("", False)])
def test_purging_by_filter_asks_first(
    played: Played, monkeypatch: pytest.MonkeyPatch, typed: str, *, purged: bool
) -> None:
    monkeypatch.setattr("services.cli.dead_letters.is_asked", lambda: True)
    result = run("purge", "--queue", "q", typed=typed)
    assert "Throw 3 dead letters away for good?" in result.stderr
    assert (result.exit_code == 0) == purged
    assert (("DELETE", "", {"queue": "q"}) in played.asked) == purged


def test_purging_by_filter_without_a_terminal_needs_a_word(played: Played) -> None:
    result = run("purge", "--all")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert played.asked == []
    assert json.loads(run("purge", "--all", "--yes", "--json").stdout) == {"purged": 3}
    assert played.asked == [("DELETE", "", {"all": "true"})]


@pytest.mark.parametrize(
    "arguments",
    [["replay"], ["purge"], ["purge", "--yes"], ["replay", LETTER, "--queue", "q"], ["purge", LETTER, "--all"]],
)
def test_what_is_meant_has_to_be_said(played: Played, arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "--reason" in result.stderr
    assert played.asked == []


def test_a_refusal_is_told(played: Played) -> None:
    result = run("replay", "lost")
    assert result.exit_code == 1
    assert "already" in result.stderr
