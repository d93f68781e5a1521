"""Histories that no job may have, and those of mended jobs, which may go on, however they were seen."""

from tests.chaos.watch import Watch

BACK = [(1, "failed"), (1, "running"), (1, "done")]


def test_a_job_that_moves_back_is_found_in_the_list_and_in_the_stream() -> None:
    for histories in ("seen", "streamed"):
        watch = Watch()
        getattr(watch, histories)["job-1"] += BACK
        assert len(watch.findings(set())) == 1


def test_a_mended_job_may_go_on_in_the_same_run() -> None:
    watch = Watch()
    watch.seen["job-1"] += BACK
    watch.streamed["job-1"] += BACK
    assert watch.findings({"job-1"}) == []
