"""A recording that is cancelled while its speech is being recognised, and then made after all; real engines."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.system import SAMPLES, Lectern, opening, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("lectern"), pytest.mark.timeout(600)]


def user_seconds(lectern: Lectern) -> dict[psutil.Process, float]:
    """The processor time of each process below transcription: its engines, and what they run."""
    service = psutil.Process(lectern.state["processes"]["transcription"]["pid"])
    found = {}
    for child in service.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            found[child] = child.cpu_times().user
    return found


@contextmanager
def suspended_at_work(lectern: Lectern, before: dict[psutil.Process, float]) -> Iterator[set[psutil.Process]]:
    """Suspend the processes below transcription once one works, so that nothing ends by itself, and yield those.

    One that has worked for a tenth of a second since `before` is at the beginning of its unit on any machine.
    """

    def working() -> set[psutil.Process]:
        return {child for child, user_s in user_seconds(lectern).items() if user_s > before.get(child, 0.0) + 0.1}

    found = wait_until(working, "recognition", 180)
    suspended = {child for child in user_seconds(lectern) if suspend(child)}
    try:
        yield found & suspended
    finally:
        for child in suspended:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.resume()


def has_ended(child: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(child.status() == psutil.STATUS_ZOMBIE)
    return True


def suspend(child: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        child.suspend()
        return True
    return False


def test_a_cancelled_recording_stops_and_a_retry_goes_on_from_there(lectern: Lectern, tmp_path: Path) -> None:
    before = user_seconds(lectern)
    job_id = lectern.submit(opening(tmp_path), "opening.mp4")
    with suspended_at_work(lectern, before) as hard_at_work:
        assert hard_at_work
        wait_until(lambda: lectern.job(job_id)["stages"][0]["status"] == "done", "the end of ingest", 30)
        answer = lectern.http.post(f"/v1/jobs/{job_id}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
        # Suspended, they can only have been killed.
        wait_until(lambda: all(map(has_ended, hard_at_work)), "the end of the engines", 30)
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
