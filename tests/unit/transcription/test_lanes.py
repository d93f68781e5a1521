"""Every unit of a source gets its turn, few at a time, whatever is delivered twice, cut off or overtaken (PIP-1)."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.transcription.domain.plan import Plan, first_units, next_unit, unit_name, unit_names
from shared.errors import PipelineError
from shared.events import UnitFinished
from tests.unit.transcription.lane_world import World, source

counts = st.integers(0, 5)


@settings(max_examples=60)
@given(speech=st.integers(0, 8), slides=counts, pages=counts, lanes=st.integers(1, 5), data=st.data())
def test_without_faults_each_unit_is_sent_once_and_no_more_than_the_lanes_at_a_time(
    speech: int, slides: int, pages: int, lanes: int, data: st.DataObject
) -> None:
    async def live() -> None:
        plan, world = source(speech, slides, pages), World(lanes)
        world.queue.append(plan)
        while world.queue or world.at_work:
            choice = data.draw(st.integers(0, len(world.queue) + len(world.moments.waiting) - 1))
            in_queue = len(world.queue)
            await (world.deliver(choice) if choice < in_queue else world.go_on(choice - in_queue))
            assert all(world.in_hand(kind) <= lanes for kind in ("speech", "slides", "pages"))
        assert sorted(world.units()) == sorted(unit_names(plan))
        finished = {message.unit for message in world.published if isinstance(message, UnitFinished)}
        assert finished == (set(unit_names(plan)) if plan.units() > 1 else set())
        assert world.joins()

    asyncio.run(live())


@settings(max_examples=60)
@given(speech=st.integers(1, 8), slides=counts, lanes=st.integers(1, 4), data=st.data())
def test_whatever_is_killed_or_delivered_twice_all_units_are_sent_and_joined(
    speech: int, slides: int, lanes: int, data: st.DataObject
) -> None:
    async def live() -> None:
        plan, world, faults = source(speech, slides), World(lanes), data.draw(st.integers(1, 8))
        world.queue.append(plan)
        while world.queue or world.at_work:
            kind = data.draw(st.sampled_from(["deliver", "go on", *(["kill", "repeat"] if faults else [])]))
            faults -= kind in ("kill", "repeat")
            if kind == "kill" and world.at_work:
                await world.kill(data.draw(st.integers(0, len(world.at_work) - 1)))
            elif kind == "repeat":
                known = [*world.queue, *world.at_work.values()]
                world.queue.append(data.draw(st.sampled_from(known)))
            elif world.queue and (kind == "deliver" or not world.moments.waiting):
                await world.deliver(data.draw(st.integers(0, len(world.queue) - 1)))
            elif world.moments.waiting:
                await world.go_on(data.draw(st.integers(0, len(world.moments.waiting) - 1)))
        assert set(world.units()) == set(unit_names(plan))
        assert world.joins()

    asyncio.run(live())


@settings(max_examples=60)
@given(speech=st.integers(1, 8), lanes=st.integers(1, 4), data=st.data())
def test_a_retry_sends_the_first_unfinished_unit_of_each_lane(speech: int, lanes: int, data: st.DataObject) -> None:
    async def live() -> None:
        world = World(lanes)
        world.queue.append(source(speech))
        for _ in range(data.draw(st.integers(4, 60))):  # until the plan is there at least
            if world.queue or world.moments.waiting:
                await (world.go_on(0) if world.moments.waiting else world.deliver(0))
        for task in list(world.at_work):
            task.cancel()
        await world.settle()
        world.queue.clear()
        world.published.clear()
        done = {number for number in range(1, speech + 1) if f"speech-{number}" in world.checkpoints.results}
        asked = len(world.asked)

        world.queue.append(source(speech).model_copy(update={"run": 2}))
        await world.deliver(0)
        while world.moments.waiting:
            await world.go_on(0)
        firsts = (
            next((n for n in range(lane, speech + 1, lanes) if n not in done), None) for lane in range(1, lanes + 1)
        )
        assert world.units() == [f"speech-{number}" for number in firsts if number is not None]
        await world.run_dry()
        assert set(world.units()) == {f"speech-{number}" for number in range(1, speech + 1) if number not in done}
        assert {message.run for message in world.published} == {2}
        assert len(world.joins()) == 1
        assert len(world.asked) == asked  # the lanes are those of the first run

    asyncio.run(live())


def test_a_lane_goes_on_behind_what_an_earlier_run_still_finished() -> None:
    plan = Plan(source=source(speech=7), lanes={"speech": 2})
    first, second = first_units(plan, plan.source.model_copy(update={"run": 2}), ())
    following = next_unit(plan, first, {"speech-1", "speech-3"})
    assert following is not None
    assert (unit_name(following), following.run) == ("speech-5", 2)
    assert next_unit(plan, second, {"speech-2", "speech-4", "speech-6"}) is None


async def test_the_broker_is_asked_about_each_kind_of_unit_that_there_is() -> None:
    world = World(1)
    world.queue.append(source(speech=2, slides=1))
    await world.run_dry()
    assert world.asked == ["transcription.slides", "transcription.speech"]


async def test_a_unit_without_a_plan_is_refused() -> None:
    world, other = World(1), World(1)
    other.queue.append(source(speech=2))
    while not other.units():
        await (other.go_on(0) if other.moments.waiting else other.deliver(0))
    world.queue += other.queue
    with pytest.raises(PipelineError):
        await world.run_dry()
