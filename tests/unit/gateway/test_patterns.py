"""Whoever writes what no pattern matches is told how to write it, not the pattern."""

import re
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Path
from fastapi.testclient import TestClient
from pydantic import BaseModel

from services.gateway.auth.key_routes import KeyId, KeyRequest
from services.gateway.dead_letters.routes import LetterPath
from services.gateway.problems import install_problem_handlers

REGEX = re.compile(r"[\^$\\{}]|should match")


@pytest.fixture
def client() -> Iterator[TestClient]:
    app = FastAPI()
    install_problem_handlers(app)

    @app.post("/keys")
    def create(request: KeyRequest) -> BaseModel:
        return request

    @app.get("/keys/{key_id}")
    def key(key_id: KeyId) -> str:
        return key_id

    @app.get("/letters/{letter}")
    def letter(letter: LetterPath) -> str:
        return letter

    @app.get("/others/{other}")
    def other(other: Annotated[str, Path(pattern="^x{3}$")]) -> str:
        return other

    with TestClient(app) as opened:
        yield opened


def said(problem: dict[str, Any]) -> str:
    (fault,) = problem["errors"]
    return str(fault["message"])


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/keys/5f2c", "12 characters"),
        ("/keys/5F2C9B7A1D3E", "a-f"),
        ("/letters/5f2c", "24 characters"),
        ("/others/y", "not written as it has to be"),
    ],
)
def test_an_id_that_is_none(client: TestClient, path: str, words: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 422
    assert words in said(answer.json())
    assert not REGEX.search(said(answer.json()))


@pytest.mark.parametrize(
    ("name", "owner", "words"), [("two\nlines", "ana", "one line"), ("Moodle", "a b", "letters, digits")]
)
def test_a_field_that_is_wrong(client: TestClient, name: str, owner: str, words: str) -> None:
    answer = client.post("/keys", json={"name": name, "owner": owner})
    assert answer.status_code == 422
    assert words in said(answer.json())
    assert not REGEX.search(said(answer.json()))


def test_other_faults_say_what_pydantic_says(client: TestClient) -> None:
    assert said(client.post("/keys", json={"name": "Moodle"}).json()) == "Field required"
