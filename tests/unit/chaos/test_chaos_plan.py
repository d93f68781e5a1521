"""A seed is a plan: the same every time, with every kind of fault, and contents that say what they do."""

import random
from pathlib import Path

from tests.chaos.content import Content, content_in
from tests.chaos.hostile import MALFORMED, QUEUES, hostile
from tests.chaos.owners import KEYED, KEYLESS
from tests.chaos.plan import CUT_OFF, EVENT_WAYS, FIRST, SHARES, make_plan, palette


def test_equal_seeds_give_equal_plans_and_others_do_not() -> None:
    assert make_plan(7, jobs=40, faults=20) == make_plan(7, jobs=40, faults=20)
    assert make_plan(7, jobs=40, faults=20).faults != make_plan(8, jobs=40, faults=20).faults


def test_storage_alternates_with_the_seed() -> None:
    assert [make_plan(seed, jobs=1, faults=1).with_s3 for seed in range(4)] == [False, True, False, True]


def test_a_long_plan_has_every_kind_of_fault_and_every_content() -> None:
    plan = make_plan(3, jobs=500, faults=200)

    assert {fault.kind for fault in plan.faults} == set(SHARES)
    assert {wish.content.name for wish in plan.wishes} == {content.name for content in plan.palette}
    assert {wish.act for wish in plan.wishes} == {"none", "delete", "cancel", "retry", "replay", "abandon"}
    assert len({wish.key for wish in plan.wishes}) == len(plan.wishes) == 500 + len(CUT_OFF)
    assert {wish.way for wish in plan.wishes} == {"http", *EVENT_WAYS}
    assert {wish.owner for wish in plan.wishes} == {*KEYED, KEYLESS}


def test_a_short_plan_has_the_hardest_faults() -> None:
    assert {fault.kind for fault in make_plan(3, jobs=20, faults=10).faults} >= set(FIRST)


def test_names_of_contents_are_unique() -> None:
    contents = palette(random.Random(1))
    assert len({content.name for content in contents}) == len(contents)


def test_content_survives_its_source(tmp_path: Path) -> None:
    content = Content(name="x.wav", units=3, flaky={"speech-2": 2}, padding=1000)
    path = tmp_path / "source"
    path.write_bytes(content.source())

    assert content_in(path) == content
    assert path.stat().st_size > 1000


def test_results_depend_on_content_and_unit_alone() -> None:
    one, same, other = Content(name="x", units=2), Content(name="x", units=2), Content(name="x", units=3)
    assert one.result_of("speech-1") == same.result_of("speech-1")
    assert len({one.result_of("speech-1"), one.result_of("speech-2"), other.result_of("speech-1")}) == 3


def test_every_hostile_message_says_where_it_must_end() -> None:
    rng = random.Random(5)
    made = [hostile(rng, ["0192f3c4-7a1e-4d3c-9c55-6d1f0a2b3c4d"], number) for number in range(600)]

    assert all(set(message.graves) <= set(QUEUES) for message in made)
    assert all(what in " ".join(message.what for message in made) for what in MALFORMED)
    # Submissions that name their job end as a failed job, well-formed ones of forbidden keys too: no dead letter.
    assert sum(not message.graves for message in made) < len(made) * 0.35
