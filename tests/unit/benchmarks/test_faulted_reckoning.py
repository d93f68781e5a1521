"""How the jobs of a run with kills are reckoned, and that both sides suffer the same ones."""

from collections import Counter

from tests.benchmarks.ledger import Entry, Ledger
from tests.benchmarks.reckoning import BROKER, QUICK, Outcome, Seen, Size, outcome, schedule
from tests.benchmarks.system import STAGES


def reckon(seen, ledger=None, missing=(), held=()):
    return outcome(seen, Counter(ledger or {}), set(missing), set(held), 1.0)


def test_the_schedule_is_the_same_for_a_seed_and_another_for_another():
    assert schedule(Size(), 1) == schedule(Size(), 1)
    assert schedule(Size(), 1) != schedule(Size(), 2)


def test_workers_are_killed_all_the_way_and_the_broker_once():
    for size in (Size(), QUICK):
        kills = schedule(size, 1)
        workers = [kill for kill in kills if kill.program != BROKER]
        assert len(workers) == size.jobs // size.jobs_per_kill
        assert len(kills) == len(workers) + 1
        assert {kill.program for kill in workers} <= set(STAGES)
        assert [kill.ended for kill in kills] == sorted(kill.ended for kill in kills)
        assert max(kill.ended for kill in kills) < size.jobs


def test_a_quiet_run_has_nothing_to_report():
    seen = Seen(Counter({"a": 1, "b": 1}))
    ledger = {Entry("a", "ingest", "source"): 1, Entry("a", "transcription", "speech-1"): 1}
    assert reckon(seen, ledger) == Outcome(0, 0, 0, 0, 0, 1.0)


def test_what_a_queue_still_holds_is_stuck_and_what_none_holds_is_lost():
    found = reckon(Seen(), missing="abc", held="c")
    assert (found.lost, found.stuck) == (2, 1)


def test_a_stage_is_doubled_once_however_many_of_its_units_are():
    ledger = {
        Entry("a", "transcription", "speech-1"): 2,
        Entry("a", "transcription", "join"): 3,
        Entry("a", "rendering", "pdf"): 1,
        Entry("b", "transcription", "speech-1"): 2,
        Entry("b", "published", "all"): 2,
    }
    assert reckon(Seen(), ledger).doubled_stages == 2


def test_results_and_failures_are_counted_by_jobs():
    found = reckon(Seen(Counter({"a": 3, "b": 1}), {"c"}))
    assert (found.doubled_results, found.failed) == (1, 1)
    assert Seen(Counter({"a": 3}), {"c"}).ended() == {"a", "c"}


def test_the_ledger_counts_what_was_added(tmp_path):
    ledger = Ledger(tmp_path / "ledger")
    assert ledger.counts() == {}
    for entry in (Entry("a", "ingest", "source"), Entry("a", "ingest", "source"), Entry("b", "ingest", "source")):
        ledger.add(entry)
    assert ledger.counts() == {Entry("a", "ingest", "source"): 2, Entry("b", "ingest", "source"): 1}
