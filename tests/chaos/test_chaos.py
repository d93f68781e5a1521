"""The short form: everything is broken at least once, and nothing is lost."""

from pathlib import Path

import pytest

from tests.chaos.plan import make_plan
from tests.chaos.run import run


@pytest.mark.integration
@pytest.mark.xdist_group("chaos")
@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", [2])
async def test_nothing_is_lost(seed: int, tmp_path: Path) -> None:
    report = await run(make_plan(seed, jobs=20, faults=11), tmp_path, print)
    assert not report.findings, "\n".join(report.lines())
    assert report.accepted >= 15
    assert report.by_event > 0
