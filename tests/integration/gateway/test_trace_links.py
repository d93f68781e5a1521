"""Whoever looks at a job finds its trace in one click, where the settings say where traces can be seen (OPS-3)."""

import json
import re
from typing import Any

import pytest
from pydantic import ValidationError

from services.gateway.settings import GatewaySettings
from shared.events import SourceFacts, SourceIngested
from shared.storage import ObjectRef

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "Idempotency-Key": "week-3"}
LINK = f"https://traces.test:16686/trace/{TRACE}?uiEmbed=v0"


@pytest.fixture
def gateway_settings() -> GatewaySettings:
    url = "https://traces.test:16686/trace/{trace_id}?uiEmbed=v0"
    return GatewaySettings(trace_url=url, allowed_hosts=("lectern.test",), poll_s=0.05, heartbeat_s=0.2)


async def submit(served: Any) -> dict[str, Any]:
    answer = await served.client.post("/v1/jobs", files={"file": ("week-3.mp4", b"sound")}, headers=HEADERS)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def test_every_answer_about_a_job_links_to_its_trace(served: Any) -> None:
    job = await submit(served)
    assert (job["trace_id"], job["trace_url"]) == (TRACE, LINK)
    assert await submit(served) == job, "the same request again"
    url = f"/v1/jobs/{job['job_id']}"
    assert (await served.client.get(url)).json()["trace_url"] == LINK
    assert (await served.client.get("/v1/jobs")).json()["jobs"][0]["trace_url"] == LINK
    async with served.client.stream("POST", f"{url}/cancel") as answer:
        assert json.loads(await answer.aread())["trace_url"] == LINK
    stream = (await served.client.get(f"{url}/events")).text
    assert json.loads(re.findall(r"data: (.*)", stream)[-1])["trace_url"] == LINK


async def test_the_page_links_to_the_trace(served: Any) -> None:
    job = await submit(served)
    card = await served.client.get(f"/ui/jobs/{job['job_id']}")
    assert f'<a class="trace" href="{LINK}" target="_blank" rel="noopener noreferrer">' in card.text
    assert "traces.test" not in card.headers["content-security-policy"], "a link needs no leave"


async def test_the_link_is_no_part_of_what_is_kept(served: Any) -> None:
    job = await submit(served)
    served.gateway.read_model._trace_url = None
    assert (await served.client.get(f"/v1/jobs/{job['job_id']}")).json()["trace_url"] is None
    ref = ObjectRef(key="a", sha256="0" * 64, size=1, media_type="audio/wav")
    facts = SourceFacts(kind="recording", name="week-3.mp4", duration_s=1)
    await served.projection.learn(SourceIngested(job_id=job["job_id"], facts=facts, original=ref, source=ref))
    document = await served.gateway.read_model.document(job["job_id"])
    assert LINK not in json.dumps(document, default=str)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:16686/trace/{trace_id}",
        "javascript:alert('{trace_id}')",
        "http://traces.test/trace",
        "http://{trace_id}",
        "http:///trace/{trace_id}",
        "https://traces.test/trace/{trace_id}/{span_id}",
        'https://traces.test/"onclick="x"/{trace_id}',
        "https://traces.test/trace/{trace_id}\nSet-Cookie: a=b",
        "https://traces.test/{trace_id}\n",
        "https://traces.test/a b/{trace_id}",
    ],
)
def test_what_is_no_address_of_a_trace_is_refused_at_start(url: str) -> None:
    with pytest.raises(ValidationError, match="trace_url"):
        GatewaySettings(trace_url=url)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:16686/trace/{trace_id}",
        "https://grafana.test/explore?traceId={trace_id}&orgId=1",
        "https://[::1]:16686/#/trace/{trace_id}",
    ],
)
def test_an_address_with_a_place_for_the_trace_is_taken(url: str) -> None:
    assert GatewaySettings(trace_url=url).trace_url == url
