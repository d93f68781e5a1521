"""A system that is stopped in the middle goes on where it was."""

import json
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.system import Lectern, opening, running, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("lectern"), pytest.mark.timeout(600)]


def test_an_unfinished_job_goes_on_after_a_restart_and_nothing_stays_behind(
    lectern_to_end: Lectern, settings: dict[str, str], tmp_path: Path
) -> None:
    system, home = lectern_to_end, lectern_to_end.home
    job_id = system.submit(opening(tmp_path), "opening.mp4")
    wait_until(lambda: system.job(job_id)["stages"][0]["status"] == "done", "ingest", 120)
    assert system.job(job_id)["status"] == "running"
    assert processes_of(home) != []
    system.stop()  # how soon is measured by `make bench`
    assert processes_of(home) == []
    happened = (home / "logs" / "supervisor.jsonl").read_text().splitlines()
    assert [line for line in happened if json.loads(line)["happening"] == "killed"] == []

    with running(home, **settings) as system:
        assert system.wait(job_id)["status"] == "done"
        system.http.close()
        system.process.kill()
        system.process.wait(10)
        wait_until(lambda: not processes_of(home), "the end of every process", 15)


def processes_of(home: Path) -> list[str]:
    """Command lines of processes that belong to the system in `home`."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ", "status"]):
        known = " ".join(process.info["cmdline"] or ()) + (process.info["environ"] or {}).get("LECTERN_HOME", "")
        if str(home) in known and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(known)
    return found
