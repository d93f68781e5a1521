"""`lectern keys` against a gateway that is played here."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from rich.console import Console
from typer.testing import CliRunner

from services.cli import keys, main

KEY = "5f2c9b7a1d3e"
SECRET = "lk_" + "s" * 43


def key(**changes: Any) -> dict[str, Any]:
    return {
        "id": KEY,
        "name": "Moodle",
        "owner": "ana",
        "role": "user",
        "created_at": "2026-03-01T09:47:12.250000Z",
        "expires_at": None,
        "last_used_at": None,
        "revoked_at": None,
        "expired": False,
    } | changes


class Played:
    """Answers like a gateway with `keys`, and remembers what was asked for."""

    def __init__(self) -> None:
        self.keys = [key()]
        self.refusal: tuple[int, str] | None = None
        self.asked: list[tuple[str, str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().removeprefix("/v1/keys")
        self.asked.append((request.method, path, json.loads(request.content) if request.content else None))
        if self.refusal is not None:
            return httpx.Response(self.refusal[0], json={"detail": self.refusal[1]})
        if request.method == "GET":
            return httpx.Response(200, json={"keys": self.keys})
        if request.method == "POST":
            return httpx.Response(201, json=key(key=SECRET))
        return httpx.Response(200, json=key(revoked_at="2026-03-02T00:00:00Z"))


@pytest.fixture
def played(play: Callable[[Played], None]) -> Played:
    gateway = Played()
    play(gateway)
    return gateway


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main.app, ["keys", *arguments], catch_exceptions=False)


def test_a_list_in_a_pipe_is_a_line_each(played: Played) -> None:
    played.keys = [
        key(name="a\x1b[2J\tb", last_used_at="2026-03-04T05:06:07Z"),
        key(revoked_at="2026-03-02T00:00:00Z", role="administrator"),
        key(expired=True, expires_at="2026-03-03T00:00:00Z"),
    ]
    lines = [line.split("\t") for line in run("list").stdout.splitlines()]
    assert lines == [
        [KEY, "usable", "user", "ana", "a [2J b", "2026-03-01 09:47", "-", "2026-03-04 05:06"],
        [KEY, "revoked", "administrator", "ana", "Moodle", "2026-03-01 09:47", "-", "-"],
        [KEY, "expired", "user", "ana", "Moodle", "2026-03-01 09:47", "2026-03-03 00:00", "-"],
    ]
    assert json.loads(run("list", "--json").stdout) == {"keys": played.keys}


def test_a_list_on_a_terminal_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    keys._print_list(Console(force_terminal=True, width=150, color_system=None), [key(name="[b]x")])
    heading, row = capsys.readouterr().out.splitlines()
    assert "last used" in heading
    assert KEY in row
    assert "[b]x" in row


def test_a_created_key_alone_is_on_standard_output(played: Played) -> None:
    result = run("create", "Moodle", "--owner", "ana")
    assert (result.exit_code, result.stdout) == (0, SECRET + "\n")
    assert f"lectern keys revoke {KEY}" in result.stderr
    made = run("create", "Lab", "--owner", "bo", "--role", "administrator", "--days", "7", "--json")
    assert json.loads(made.stdout)["key"] == SECRET
    assert [body for _, _, body in played.asked] == [
        {"name": "Moodle", "owner": "ana", "role": "user", "expires_in_days": None},
        {"name": "Lab", "owner": "bo", "role": "administrator", "expires_in_days": 7},
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["create", "Moodle"],
        ["create", "--owner", "ana"],
        ["create", "Moodle", "--owner", "ana", "--role", "root"],
        ["create", "Moodle", "--owner", "ana", "--days", "0"],
        ["revoke"],
    ],
)
def test_what_is_missing_or_wrong_is_refused_here(played: Played, arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2
    assert played.asked == []


def test_revoking(played: Played) -> None:
    assert run("revoke", KEY).stdout == f"Revoked: Moodle of ana ({KEY}).\n"
    assert json.loads(run("revoke", KEY, "--json").stdout)["revoked_at"] is not None
    run("revoke", "../jobs/x")
    assert [path for _, path, _ in played.asked] == [f"/{KEY}", f"/{KEY}", "/..%2Fjobs%2Fx"]


@pytest.mark.parametrize(("status", "exit_status"), [(403, 1), (404, 1), (409, 1), (422, 2)])
def test_a_refusal_is_told(played: Played, status: int, exit_status: int) -> None:
    played.refusal = (status, "Create another first.")
    for arguments in (["list"], ["create", "x", "--owner", "y"], ["revoke", KEY]):
        result = run(*arguments)
        assert result.exit_code == exit_status
        assert "Create another first." in result.stderr
        assert result.stdout == ""
