"""The command against a gateway that a test plays."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from services.cli import frame
from services.cli.client import Client

Gateway = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Gateway], None]:
    """Lets `gateway` answer the commands, which run in an empty folder."""

    def answer_with(gateway: Gateway) -> None:
        monkeypatch.setenv("LECTERN_URL", "http://lectern.test")
        monkeypatch.setenv("LECTERN_API_KEY", "key")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(frame, "Client", lambda connection: Client(connection, httpx.MockTransport(gateway)))

    return answer_with
