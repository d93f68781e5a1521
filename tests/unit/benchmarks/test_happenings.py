"""What a supervisor tells is found by program, kind and time."""

import asyncio
from pathlib import Path

import pytest

from deploy.local.backoff import Backoff
from deploy.local.keeper import Event, Happening
from tests.benchmarks.happenings import Happenings, deaths_far_apart


def event(program, happening):
    return Event(program, happening, "", Path("log"))


async def test_a_program_works_from_its_readiness_to_its_end():
    happenings = Happenings()
    assert not happenings.works("ingest")
    for happening, works in ((Happening.STARTED, False), (Happening.READY, True), (Happening.DIED, False)):
        happenings.tell(event("ingest", happening))
        happenings.tell(event("analysis", Happening.HUNG))
        assert happenings.works("ingest") is works


async def test_what_comes_is_waited_for_and_what_was_before_does_not_count():
    happenings = Happenings()
    happenings.tell(event("ingest", Happening.STARTED))
    before_s = await happenings.first("ingest", Happening.STARTED, after_s=0)
    waiting = asyncio.create_task(happenings.first("ingest", Happening.STARTED, after_s=before_s + 1e-9))
    happenings.tell(event("analysis", Happening.STARTED))
    happenings.tell(event("ingest", Happening.READY))
    happenings.tell(event("ingest", Happening.STARTED))
    assert await waiting > before_s


async def test_what_never_comes_is_an_error():
    with pytest.raises(TimeoutError):
        await Happenings().first("ingest", Happening.STARTED, after_s=0, limit_s=0.01)


def test_every_death_counts_as_the_first_while_it_is_measured():
    with deaths_far_apart():
        measured = Backoff()
        assert [measured.after_death(1.0) for _ in range(3)] == [0.5, 0.5, 0.5]
    usual = Backoff()
    assert [usual.after_death(1.0) for _ in range(3)] == [0.5, 1.0, 2.0]
