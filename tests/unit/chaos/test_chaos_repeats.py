"""Work that is done twice is judged: what has a lawful reason passes, what has none is found."""

from dataclasses import replace

import pytest

from tests.chaos.disturbances import BROKER, COPIES, DATABASE, GATEWAY, PROCESS, STORAGE, Disturbance, Disturbances
from tests.chaos.ledger import Computation, Ledger
from tests.chaos.repeats import findings
from tests.chaos.watched_checkpoints import KEPT

JOB, UNIT = "job-00001", "speech-1"
FIRST = Computation(
    JOB, UNIT, UNIT, 1, pid=1, looked_at=100.0, begun_at=100.1, outcome="done", fate=KEPT, fate_at=101.0
)
SECOND = replace(FIRST, pid=2, looked_at=110.0, begun_at=110.1, fate_at=111.0)


def found(first: Computation, second: Computation = SECOND, *told: Disturbance, **more: float) -> list[str]:
    kept = [one.fate_at for one in (first, second) if one.fate == KEPT and one.fate_at is not None]
    ledger = Ledger([first, second], {(JOB, first.checkpoint): kept})
    deaths = {first.pid: more["died_at"]} if "died_at" in more else {}
    return findings(ledger, Disturbances(list(told), deaths))


def lost(error: str) -> Computation:
    return replace(FIRST, fate=error)


def test_what_is_kept_is_never_computed_again_whatever_was_disturbed() -> None:
    everything = [Disturbance(what, 90, 120) for what in (BROKER, DATABASE, STORAGE, PROCESS, COPIES)]
    assert len(found(FIRST, SECOND, *everything, died_at=105)) == 1


def test_what_failed_as_it_was_told_is_tried_again() -> None:
    assert found(replace(FIRST, outcome="failed", fate="EngineError")) == []


@pytest.mark.parametrize(("died_at", "faults"), [(105, 0), (110.5, 0), (130, 1)])
def test_the_work_of_a_killed_process_is_done_again(died_at: float, faults: int) -> None:
    assert len(found(replace(FIRST, fate=None, fate_at=None), died_at=died_at)) == faults


@pytest.mark.parametrize(
    ("error", "what", "faults"),
    [
        ("DatabaseError", DATABASE, 0),
        ("DatabaseError", STORAGE, 1),
        ("StorageError", STORAGE, 0),
        ("StorageError", BROKER, 1),
        ("CancelledError", BROKER, 0),
        ("ZeroDivisionError", DATABASE, 1),
        ("JobGoneError", DATABASE, 1),
        ("RunCancelledError", DATABASE, 1),
    ],
)
def test_a_result_is_lost_to_what_was_disturbed_alone(error: str, what: str, faults: int) -> None:
    assert len(found(lost(error), SECOND, Disturbance(what, 99, 101))) == faults
    assert len(found(lost(error))) == 1
    assert len(found(lost(error), SECOND, Disturbance(what, 10, 20))) == 1  # long over


@pytest.mark.parametrize(("run", "faults"), [(1, 1), (2, 0)])
def test_what_was_given_up_at_its_limit_is_tried_again_in_another_run_alone(run: int, faults: int) -> None:
    given_up = replace(FIRST, outcome="failed", fate="IncompleteUnitError")
    ledger = Ledger([given_up, replace(SECOND, run=run)], {(JOB, f"{UNIT}-of-run-1"): [105.0]})
    assert len(findings(ledger, Disturbances())) == faults


def test_a_further_run_makes_what_a_cancelled_one_did_not() -> None:
    assert found(lost("RunCancelledError"), replace(SECOND, run=2)) == []


@pytest.mark.parametrize(("what", "faults"), [(BROKER, 0), (PROCESS, 0), (COPIES, 0), (GATEWAY, 1), (DATABASE, 1)])
def test_two_replicas_race_where_there_was_a_reason_for_a_second_message(what: str, faults: int) -> None:
    racing = replace(SECOND, looked_at=100.5, begun_at=100.6)
    assert len(found(FIRST, racing, Disturbance(what, 95, 96))) == faults
    assert len(found(FIRST, racing)) == 1
    assert len(found(FIRST, replace(racing, pid=1), Disturbance(what, 95, 96))) == 1  # one process takes turns


@pytest.mark.parametrize(("units", "joined", "faults"), [(2, 2, 0), (2, 1, 1), (2, 3, 1), (1, 2, 1)])
def test_units_that_end_at_the_same_moment_tell_of_the_whole_once_each(units: int, joined: int, faults: int) -> None:
    guide = replace(FIRST, checkpoint="guide")
    racing = replace(guide, pid=2, looked_at=100.5, begun_at=100.6)
    kept = {(JOB, f"pages-{number}"): [98.0] for number in range(units)} | {(JOB, "document"): [99.0] * joined}
    assert len(findings(Ledger([guide, racing], kept), Disturbances())) == faults


def test_a_source_is_refused_again_where_there_was_a_reason_for_a_second_message() -> None:
    refused = replace(FIRST, outcome="refused", fate="InvalidSourceError")
    again = replace(SECOND, outcome="refused", fate="InvalidSourceError")
    assert found(refused, again, Disturbance(COPIES, 108, 109)) == []
    assert len(found(refused, again)) == 1
