"""A recording that is cancelled while its speech is being recognised, and then made after all; real engines."""

from pathlib import Path

import psutil
import pytest

from tests.end_to_end.system import SAMPLES, Lectern, opening, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("lectern"), pytest.mark.timeout(600)]


def working(lectern: Lectern) -> set[int]:
    """Processes below transcription that recognise speech or read slides now: they use the processor."""
    service = psutil.Process(lectern.state["processes"]["transcription"]["pid"])
    before = {child.pid: (child, child.cpu_times().user) for child in service.children(recursive=True)}
    psutil.cpu_percent(0.5)  # waits so long
    found = set()
    for pid, (child, user_s) in before.items():
        if child.is_running() and child.cpu_times().user > user_s + 0.1:
            found.add(pid)
    return found


def test_a_cancelled_recording_stops_and_a_retry_goes_on_from_there(lectern: Lectern, tmp_path: Path) -> None:
    job_id = lectern.submit(opening(tmp_path), "opening.mp4")
    wait_until(lambda: lectern.job(job_id)["stages"][0]["status"] == "done", "ingest", 120)
    hard_at_work = wait_until(lambda: working(lectern), "recognition", 60)
    answer = lectern.http.post(f"/v1/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in hard_at_work), "the end of the engines", 30)
    assert lectern.job(job_id)["status"] == "cancelled"

    pieces = lectern.home / "objects" / "ingest" / job_id
    prepared = {path: path.stat().st_mtime_ns for path in pieces.rglob("*") if path.is_file()}
    assert prepared
    answer = lectern.http.post(f"/v1/jobs/{job_id}/retry")
    assert (answer.status_code, answer.json()["run"]) == (202, 2)
    assert lectern.wait(job_id)["status"] == "done"
    assert {path: path.stat().st_mtime_ns for path in prepared} == prepared  # nothing was prepared again


def test_a_deleted_recording_leaves_no_object(lectern: Lectern) -> None:
    job_id = lectern.submit(SAMPLES / "lecture.mp4", "lecture.mp4")
    wait_until(lambda: lectern.job(job_id)["stages"][1]["status"] == "running", "transcription", 120)
    assert lectern.http.delete(f"/v1/jobs/{job_id}").status_code == 204
    objects = lectern.home / "objects"
    wait_until(lambda: not list(objects.rglob(f"*{job_id}*/**/*")), "the removal of every object", 60)
    assert lectern.http.get(f"/v1/jobs/{job_id}").status_code == 404
