"""How many spans the trace of the bundled lecture has, from upload to handout, and what an idle system sends."""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.benchmarks.figures import Figure, Goal
from tests.benchmarks.lecture import SAMPLES, short_lecture
from tests.benchmarks.system import Measurement, System, with_system
from tests.end_to_end.otlp_receiver import OtlpReceiver

LIMIT_S = 600.0
GOAL, IDLE_GOAL = Goal(80), Goal(0)
# Services send their spans every 5 s.
SENT_S = 6.0
IDLE_S, QUICK_IDLE_S = 30.0, 2.0
QUICK_S = 10
ENDED = {"done", "partial", "failed", "cancelled"}


async def measure(*, quick: bool) -> list[Figure]:
    """The spans of the lecture, or with `quick` of its beginning."""
    with measurement(quick=quick) as traced:
        return await with_system(traced.work, environment=traced.environment)


@contextmanager
def measurement(*, quick: bool) -> Iterator[Measurement]:
    """The same, in any system with the product's own services that is idle then."""
    idle_s = QUICK_IDLE_S if quick else IDLE_S
    with tempfile.TemporaryDirectory(prefix="lectern-bench-") as folder, OtlpReceiver() as receiver:
        source = short_lecture(QUICK_S, Path(folder)).video if quick else SAMPLES / "lecture.mp4"

        async def work(system: System) -> list[Figure]:
            job = await _run(system, source)
            await asyncio.sleep(SENT_S)
            began_ns = time.time_ns()
            await asyncio.sleep(idle_s + SENT_S)
            spans = receiver.trace(job["trace_id"])
            idle = [span for span in receiver.all() if span.began_ns > began_ns]
            return [
                Figure("lecture_spans", len(spans), GOAL, f"{source.name}, {job['status']}"),
                Figure("idle_spans", len(idle), IDLE_GOAL, f"in {idle_s:g} s"),
            ]

        yield Measurement(work, environment={"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint})


async def _run(system: System, source: Path) -> dict[str, Any]:
    """Submit the file at `source` as a user does, and wait for its end; the job then."""
    key = (system.home / "api-key").read_text().strip()
    url = str(system.state().gateway_url)
    content = await asyncio.to_thread(source.read_bytes)
    async with (
        asyncio.timeout(LIMIT_S),
        httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client,
    ):
        answer = await client.post("/v1/jobs", files={"file": (source.name, content)})
        job: dict[str, Any] = answer.raise_for_status().json()
        while job["status"] not in ENDED:
            await asyncio.sleep(1)
            job = (await client.get(f"/v1/jobs/{job['job_id']}")).raise_for_status().json()
    return job
