"""The whole system on one small disk that is full for ten seconds: nothing is lost, and nobody has to do anything."""

from pathlib import Path

import pytest

from tests.benchmarks.full_disk import full_disk
from tests.benchmarks.small_disk import NoSmallDiskError

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

WORKS_WITHIN_S, DONE_WITHIN_S = 45, 60


async def test_after_ten_seconds_without_room_every_accepted_job_is_done_and_every_service_ready(
    tmp_path: Path,
) -> None:
    try:
        async with full_disk(tmp_path) as it:
            recovery = await it.strike(killed=("analysis", "database"))
    except NoSmallDiskError as reason:
        pytest.skip(str(reason))
    assert it.jobs.done == set(it.jobs.accepted)
    assert it.jobs.refused  # it was full
    assert recovery.working_s < WORKS_WITHIN_S
    assert max(recovery.all_done_s, recovery.ready_s) < DONE_WITHIN_S
