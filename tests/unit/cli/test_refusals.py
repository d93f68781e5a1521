"""What the gateway refuses is told in words of the command line: what happened, and what to do."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from services.cli import frame, main
from services.cli.client import Client

MACHINE_WORDS = re.compile(r"should match|pattern|`errors`|Bearer|Authorization|path\.|body\.|[A-Z][a-z]+Error|\^\[")
FIELDS = "Some fields of the request are not valid: see `errors`."


def problem(status: int, detail: str, *faults: tuple[str, str]) -> httpx.Response:
    content = {"type": "urn:lectern:problem:x", "title": "x", "status": status, "detail": detail}
    errors = [{"field": field, "message": message} for field, message in faults]
    return httpx.Response(status, json=content | ({"errors": errors} if errors else {}))


@pytest.fixture
def refuse(play: Callable[[Callable[[httpx.Request], httpx.Response]], None]) -> Callable[[httpx.Response], None]:
    def always(answer: httpx.Response) -> None:
        play(lambda _: answer)

    return always


Refuse = Callable[[httpx.Response], None]


def run(*arguments: str) -> Any:
    result = CliRunner().invoke(main.app, list(arguments), catch_exceptions=False)
    assert not MACHINE_WORDS.search(result.stderr), result.stderr
    assert result.stdout == ""
    return result


def test_a_key_that_is_refused_is_named_by_where_it_came_from(refuse: Refuse) -> None:
    refuse(problem(401, "Send a valid API key as `Authorization: Bearer KEY`."))
    result = run("jobs")
    assert result.exit_code == 1
    for word in ("LECTERN_API_KEY", "http://lectern.test", "revoked", "expired", "lectern keys create"):
        assert word in result.stderr


def test_a_kept_key_that_is_refused_can_be_made_anew(
    refuse: Refuse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    refuse(problem(401, "Send a valid API key as `Authorization: Bearer KEY`."))
    monkeypatch.delenv("LECTERN_API_KEY")
    monkeypatch.setenv("LECTERN_HOME", str(tmp_path))
    (tmp_path / "api-key").write_text("lk_x\n")
    result = run("jobs")
    assert f"{tmp_path}/api-key" in result.stderr
    assert "start Lectern again" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "thing", "listing"),
    [
        (("show", "ab"), "job", "lectern jobs"),
        (("fetch", "ab"), "job", "lectern jobs"),
        (("cancel", "ab"), "job", "lectern jobs"),
        (("retry", "ab"), "job", "lectern jobs"),
        (("delete", "ab"), "job", "lectern jobs"),
        (("keys", "revoke", "5f2c"), "API key", "lectern keys list"),
        (("dead-letters", "show", "x"), "dead letter", "lectern dead-letters list"),
        (("dead-letters", "replay", "x"), "dead letter", "lectern dead-letters list"),
    ],
)
@pytest.mark.parametrize("status", [404, 422])
def test_an_id_of_nothing_is_told_with_what_lists_them(
    refuse: Refuse, arguments: tuple[str, ...], thing: str, listing: str, status: int
) -> None:
    fault = ("path.job_id", "String should match pattern '^[0-9a-f]{12}$'")
    refuse(problem(422, FIELDS, fault) if status == 422 else problem(404, f"There is no such {thing}."))
    result = run(*arguments)
    assert result.exit_code == (2 if status == 422 else 1)
    assert f"There is no such {thing}." in result.stderr
    assert f"`{listing}`" in result.stderr


def test_a_field_is_named_as_the_option_is(refuse: Refuse) -> None:
    refuse(problem(422, FIELDS, ("body.owner", "Write letters and digits.")))
    result = run("keys", "create", "Moodle", "--owner", "a b")
    assert result.exit_code == 2
    assert "owner: Write letters and digits." in result.stderr


@pytest.mark.parametrize(("status", "words"), [(502, "try again"), (404, "LECTERN_URL"), (200, "LECTERN_URL")])
def test_what_is_no_lectern_is_told(refuse: Refuse, status: int, words: str) -> None:
    refuse(httpx.Response(status, text="<html>"))
    result = run("show", "ab")
    assert result.exit_code == 1
    assert "http://lectern.test" in result.stderr
    assert words in result.stderr


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (httpx.ReadTimeout("x"), "did not answer in time"),
        (httpx.RemoteProtocolError("x"), "broke"),
        (httpx.ReadError("x"), "broke"),
    ],
)
def test_a_line_that_breaks_is_told(
    play: Callable[[Callable[[httpx.Request], httpx.Response]], None], fault: Exception, words: str
) -> None:
    def broken(_: httpx.Request) -> httpx.Response:
        raise fault

    play(broken)
    assert words in run("jobs").stderr


@pytest.mark.parametrize(
    "url",
    [
        *("localhost:8000", "ftp://host", "http://", "http://[x", "nothing at all"),
        *("http://ä..b", "http://xn--zzzzz99999", "http://.", f"http://{'a' * 80}"),
    ],
)
def test_an_address_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("LECTERN_URL", url)
    monkeypatch.setenv("LECTERN_API_KEY", "key")
    monkeypatch.setattr(frame, "Client", Client)
    result = run("jobs")
    assert result.exit_code == 1
    assert "LECTERN_URL" in result.stderr
    assert "http://HOST:PORT" in result.stderr


@pytest.mark.parametrize("key", ["clé", "two words", "two\nlines"])
def test_a_key_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("LECTERN_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("LECTERN_API_KEY", key)
    result = run("jobs")
    assert result.exit_code == 1
    assert "LECTERN_API_KEY" in result.stderr
    assert key not in result.stderr


def test_an_empty_key_file_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LECTERN_URL", "http://127.0.0.1:1")
    monkeypatch.delenv("LECTERN_API_KEY", raising=False)
    monkeypatch.setenv("LECTERN_HOME", str(tmp_path))
    (tmp_path / "api-key").write_text("\n")
    assert f"{tmp_path}/api-key" in run("jobs").stderr


def test_from_a_folder_without_a_system_it_is_told_how_to_name_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("LECTERN_URL", "LECTERN_API_KEY", "LECTERN_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    said = run("jobs").stderr
    assert f"{tmp_path}/.lectern" in said
    assert "LECTERN_HOME" in said
