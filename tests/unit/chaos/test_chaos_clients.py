"""What the harness's clients conclude from the answers of a gateway."""

import random

import httpx
import pytest

from tests.chaos.cases import Case, Wish
from tests.chaos.clients import Account
from tests.chaos.connections import Connections
from tests.chaos.content import Content


@pytest.mark.parametrize(
    ("answer", "job", "mended"),
    [
        (202, {"run": 2, "status": "running"}, True),
        (409, {"run": 2, "status": "running"}, True),
        (409, {"run": 1, "status": "done"}, True),
        (409, {"run": 1, "status": "failed"}, False),
        (404, None, False),
    ],
    ids=["taken", "taken before", "went on by itself", "refused", "gone"],
)
async def test_a_job_is_mended_when_it_goes_on(answer: int, job: dict[str, object] | None, mended: bool) -> None:
    def gateway(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(answer)
        return httpx.Response(200, json=job) if job else httpx.Response(404)

    connections = Connections("http://gateway", random.Random(1))
    await connections.http.aclose()
    connections.http = httpx.AsyncClient(base_url="http://gateway", transport=httpx.MockTransport(gateway))
    case = Case(Wish(1, 0, Content(name="m", mendable="guide"), "key", act="retry"), job_id="job-00001")
    await Account(connections, "local", "key").act(case)
    await connections.close()
    assert case.mended is mended
