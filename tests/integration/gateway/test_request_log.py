"""One log line a request, which says who asked for what and nothing secret (OPS-2)."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from services.gateway.request_log import MOST_AT_ONCE, RequestLog
from shared.telemetry.logs import add_work


async def asked(served: Any, method: str, path: str, **more: Any) -> dict[str, Any]:
    with capture_logs([add_work]) as lines:
        await served.client.request(method, path, **more)
    (line,) = [line for line in lines if line["event"] == "request"]
    return dict(line)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_request_is_one_line(served: Any, method: str) -> None:
    line = await asked(served, method, "/v1/jobs/job-00000001")
    assert (line["method"], line["route"], line["status"]) == (method, "/v1/jobs/{job_id}", 404)
    assert (line["owner"], line["job_id"]) == ("local", "job-00000001")
    assert line["ms"] > 0
    assert (line["bytes"] > 0) == (method == "GET")


async def test_a_caller_who_is_refused_has_a_line_as_well(served: Any) -> None:
    line = await asked(served, "GET", "/v1/jobs", headers={"Authorization": "Bearer lectern_wrong"})
    assert line["status"] == 401
    assert "owner" not in line


@pytest.mark.parametrize(
    "path", ["/sign-in/secret-of-a-link", "/v1/jobs/x?token=secret-of-a-link", "/secret-of-a-link"]
)
async def test_addresses_are_not_logged(served: Any, path: str) -> None:
    assert "secret-of-a-link" not in str(await asked(served, "GET", path))


@pytest.mark.parametrize("path", ["/health/live", "/static/page.css"])
async def test_probes_and_parts_of_the_page_are_left_out(served: Any, path: str) -> None:
    with capture_logs() as lines:
        await served.client.get(path)
    assert not [line for line in lines if line["event"] == "request"]


async def test_what_fails_is_logged_too() -> None:
    async def broken(_scope: Any, _receive: Any, _send: Any) -> None:
        raise RuntimeError("a defect")

    async def nothing(*_args: Any) -> Any:
        return None

    with capture_logs() as lines, pytest.raises(RuntimeError):
        await RequestLog(broken)({"type": "http", "method": "GET", "path": "/v1/jobs"}, nothing, nothing)
    assert [(line["event"], line["status"]) for line in lines] == [("request", 0)]


async def test_strangers_fill_no_disk_with_lines_and_hide_nobody_s() -> None:
    async def answer(scope: Any, _receive: Any, _send: Any) -> None:
        scope["state"]["caller"] = scope["path"].removeprefix("/") or None

    async def nothing(*_args: Any) -> Any:
        return None

    log = RequestLog(answer)

    async def ask(path: str) -> None:
        await log({"type": "http", "method": "GET", "path": path, "state": {}}, nothing, nothing)

    with capture_logs() as lines:
        for _ in range(1000):
            await ask("/")
        written = len(lines)
        await ask("/ana")
        await ask("/ana")
    assert MOST_AT_ONCE <= written < MOST_AT_ONCE + 20
    assert [line.get("left_out") for line in lines[-2:]] == [1000 - written, None]
