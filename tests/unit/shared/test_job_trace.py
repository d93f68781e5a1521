"""The trace of a job that brought none: the same for everybody, sampled as a root of its own would be."""

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler, TraceIdRatioBased

from shared.messaging.job_trace import derived_traceparent


def sampled(sampler: Sampler, job_id: str) -> bool:
    return derived_traceparent(job_id, TracerProvider(sampler=sampler)).endswith("-01")


@pytest.mark.parametrize(("sampler", "share"), [(ALWAYS_ON, 1.0), (ALWAYS_OFF, 0.0), (TraceIdRatioBased(0.3), 0.3)])
def test_the_sampler_decides_as_for_a_root(sampler: Sampler, share: float) -> None:
    jobs = [f"job-{number:08}" for number in range(1000)]
    found = [sampled(ParentBased(sampler), job_id) for job_id in jobs]
    assert found == [sampled(sampler, job_id) for job_id in jobs]
    assert sum(found) / len(jobs) == pytest.approx(share, abs=0.05)


def test_jobs_have_traces_of_their_own() -> None:
    provider = TracerProvider()
    traces = {derived_traceparent(f"job-{number:08}", provider) for number in range(100)}
    assert len(traces) == 100
    assert derived_traceparent("job-00000001", provider) in traces
