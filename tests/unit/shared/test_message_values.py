"""Digests and message ids: equal for equal things, different for different ones, the same in every process."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.events import (
    JobDeleted,
    JobSubmitted,
    PageRange,
    Parameters,
    SlideRange,
    SourceFacts,
    SourceIngested,
    SubmittedSource,
)
from shared.messaging.publish import message_id
from shared.storage import ObjectRef

PROJECT = Path(__file__).resolve().parents[3]
PARAMETERS = st.builds(
    Parameters,
    paper=st.sampled_from(["a4", "us-letter"]),
    language=st.from_regex(r"\A[a-z]{2,3}\Z"),
    unit_s=st.integers(30, 1200),
)


@settings(max_examples=50)
@given(PARAMETERS, PARAMETERS)
def test_digests_are_equal_for_equal_parameters_only(one: Parameters, other: Parameters) -> None:
    assert (one.digest() == other.digest()) == (one == other)


def test_a_digest_is_the_same_in_another_process() -> None:
    """Results are found again after a restart: no per-process hash may enter."""
    code = "from shared.events import Parameters; print(Parameters(unit_s=77).digest())"
    command = [sys.executable, "-c", code]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT).stdout.strip()
    assert printed == Parameters(unit_s=77).digest()
    assert len(printed) == 12


def test_a_digest_goes_through_the_wire_unchanged() -> None:
    parameters = Parameters(paper="us-letter", language="deu", unit_s=60)
    assert Parameters.model_validate_json(parameters.model_dump_json()).digest() == parameters.digest()


def submitted(job_id: str = "job-00001", **parameters: int) -> JobSubmitted:
    return JobSubmitted(
        job_id=job_id,
        parameters=Parameters(**parameters),
        source=SubmittedSource(key="inbox/a.mp4", name="a.mp4"),
        submitted_at=datetime.now(UTC),
    )


def test_the_same_fact_has_the_same_id_whenever_it_is_told() -> None:
    first = submitted()
    later = first.model_copy(update={"submitted_at": first.submitted_at + timedelta(hours=1)})
    assert message_id(first) == message_id(later)


def test_different_facts_have_different_ids() -> None:
    event = submitted()
    ids = [
        message_id(event),
        message_id(submitted("job-00002")),
        message_id(submitted(unit_s=60)),
        message_id(JobDeleted(job_id="job-00001")),
        message_id(event, "speech-1"),
        message_id(event, "speech-2"),
    ]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("job_id", ["short", "A" * 10, "../../etc", "-job-00001", "job_00001", "j" * 65, ""])
def test_job_ids_that_could_be_paths_are_refused(job_id: str) -> None:
    with pytest.raises(ValidationError):
        JobDeleted(job_id=job_id)


def test_unknown_fields_of_a_newer_publisher_are_ignored() -> None:
    assert JobDeleted.model_validate({"job_id": "job-00001", "why": "new"}).job_id == "job-00001"


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValidationError):
        JobDeleted(job_id="job-00001", submitted_at=datetime(2026, 1, 1))  # noqa: DTZ001 -- what is refused


@pytest.mark.parametrize(("slides", "pages", "units"), [(0, 0, 1), (1, 0, 1), (2, 3, 5)])
def test_a_source_has_at_least_one_unit(slides: int, pages: int, units: int) -> None:
    reference = ObjectRef(key="inbox/a", sha256="0" * 64, size=1)
    event = SourceIngested(
        job_id="job-00001",
        facts=SourceFacts(kind="recording", name="a"),
        original=reference,
        source=reference,
        slides=tuple(SlideRange(number=number, start_s=0, end_s=1) for number in range(1, slides + 1)),
        pages=tuple(PageRange(number=number, first=1, last=1) for number in range(1, pages + 1)),
    )
    assert event.units() == units
