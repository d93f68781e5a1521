"""The copies of settled letters leave the dead-letter queues, and no other copy does (PIP-4)."""

import asyncio
from datetime import timedelta
from typing import Any

from services.gateway.dead_letters.letters import DeadLetters
from services.gateway.dead_letters.post import Post
from services.gateway.dead_letters.tidier import Tidier
from shared.messaging.topology import GUIDES, SPEECH


async def _kept(desk: Any) -> int:
    return int(await desk.database["dead_letters"].count_documents({}))


async def _ids_in(desk: Any, queue: str) -> set[str]:
    """What lies in a queue, without taking it."""
    found = set()
    async with await desk.connect() as connection:
        channel = await connection.channel()
        lying = await channel.get_queue(queue, ensure=False)
        while (message := await lying.get(fail=False)) is not None:
            found.add(message.message_id)
    return found


async def _until_depth(desk: Any, queue: str, depth: int) -> None:
    async with asyncio.timeout(30):
        while await desk.depth(queue) != depth:  # what a closed channel held comes back a moment later
            await asyncio.sleep(0.01)


async def test_a_purge_empties_the_dead_letter_queue(desk: Any, make_letter: Any) -> None:
    await desk.bury(SPEECH.name, *(make_letter(message_id=str(number)) for number in range(30)))
    await desk.bury(GUIDES.name, make_letter("job-00000002"))
    answer = await desk.client.delete("/v1/dead-letters", params={"queue": SPEECH.name})
    assert answer.json() == {"purged": 30}
    assert [found["job_id"] for found in await desk.listed()] == ["job-00000002"]
    assert await desk.office.tidier.tidy() == 30
    assert await desk.office.tidier.tidy() == 0
    assert (await desk.depth(SPEECH.dead_letters), await desk.depth(GUIDES.dead_letters)) == (0, 1)
    assert await _kept(desk) == 1


async def test_only_what_is_settled_leaves(desk: Any, make_letter: Any) -> None:
    await desk.bury(SPEECH.name, *(make_letter(message_id=str(number)) for number in range(40)))
    for found in await desk.listed(limit=40):
        if int(found["message_id"]) % 4 == 0:
            assert (await desk.client.delete(f"/v1/dead-letters/{found['id']}")).json() == {"purged": 1}
        elif int(found["message_id"]) % 4 == 1:
            await desk.client.post(f"/v1/dead-letters/{found['id']}/replay")
    assert await desk.office.tidier.tidy() == 20
    await _until_depth(desk, SPEECH.dead_letters, 20)
    left = {str(number) for number in range(40) if number % 4 > 1}
    assert await _ids_in(desk, SPEECH.dead_letters) == left
    assert {found["message_id"] for found in await desk.listed(limit=40)} == left
    assert await _kept(desk) == 20


async def test_every_copy_of_a_settled_letter_leaves(desk: Any, make_letter: Any) -> None:
    """A message may be buried twice: its worker was killed between the copy and the acknowledgement."""
    await desk.bury(SPEECH.name, make_letter(), make_letter(), make_letter())
    assert len(await desk.listed()) == 1
    assert await desk.office.letters.purge_job("job-00000001") == 1
    assert await desk.office.tidier.tidy() == 1
    assert await desk.depth(SPEECH.dead_letters) == 0


async def test_two_tidiers_at_once(desk: Any, make_letter: Any) -> None:
    await desk.bury(SPEECH.name, *(make_letter(message_id=str(number)) for number in range(60)))
    listed = await desk.listed(limit=100)
    for found in listed[::2]:
        await desk.office.letters.purge(found["id"])
    offices = [desk.office, desk.another_office(), desk.another_office()]
    forgotten = await asyncio.gather(*(office.tidier.tidy() for office in offices))
    assert sum(forgotten) == 30
    await _until_depth(desk, SPEECH.dead_letters, 30)
    assert await _ids_in(desk, SPEECH.dead_letters) == {found["message_id"] for found in listed[1::2]}
    assert await desk.office.tidier.tidy() == 0


async def test_a_tidier_that_is_killed_gives_everything_back(desk: Any, make_letter: Any) -> None:
    await desk.bury(SPEECH.name, *(make_letter(message_id=str(number)) for number in range(10)))
    [*_, oldest] = await desk.listed()
    await desk.office.letters.purge(oldest["id"])

    async def forget(_letters: Any) -> None:
        raise asyncio.CancelledError

    dying = DeadLetters(desk.database, desk.store)
    dying.forget = forget  # type: ignore[method-assign]  # the process ends here
    await asyncio.gather(Tidier(dying, Post(desk.connect)).tidy(), return_exceptions=True)
    await _until_depth(desk, SPEECH.dead_letters, 9)
    assert await _kept(desk) == 10
    late = Tidier(desk.office.letters, Post(desk.connect), missing_for=timedelta(0))
    assert await late.tidy() == 0  # the copy is gone, and it may still be on its way
    assert await late.tidy() == 1
    assert await _kept(desk) == 9


async def test_a_pass_that_is_cut_short_forgets_nothing_it_has_not_seen(desk: Any, make_letter: Any) -> None:
    await desk.bury(SPEECH.name, *(make_letter(message_id=str(number)) for number in range(10)))
    newest, *_ = await desk.listed()
    await desk.office.letters.purge(newest["id"])
    short = Tidier(desk.office.letters, Post(desk.connect), missing_for=timedelta(0), most_copies=5)
    assert [await short.tidy(), await short.tidy(), await short.tidy()] == [0, 0, 0]
    await _until_depth(desk, SPEECH.dead_letters, 10)
    assert await desk.office.tidier.tidy() == 1


async def test_letters_of_queues_that_nobody_knows_are_just_forgotten(desk: Any, make_letter: Any) -> None:
    await desk.bury("nobody.knows", make_letter())
    await desk.office.letters.purge_job("job-00000001")
    assert await desk.office.tidier.tidy() == 1
    assert await _kept(desk) == 0
