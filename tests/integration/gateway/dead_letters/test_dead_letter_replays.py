"""Replays on a real broker: nothing of a message is lost, whatever is killed in the middle (PIP-4)."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import aio_pika
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from structlog.testing import capture_logs

from services.gateway.dead_letters.letters import LetterFilter
from services.gateway.dead_letters.post import Post
from services.gateway.dead_letters.replay import Replays
from shared.circuit import Circuits
from shared.database import DuplicateKeyError
from shared.errors import EngineError
from shared.events import JobSubmitted, SubmittedSource
from shared.messaging import headers as names
from shared.messaging.broker import create_broker, drain, subscribe
from shared.messaging.publish import Publisher
from shared.messaging.topology import DELIVERY_LIMIT, GUIDES, PAGES, SPEECH, SUBMISSIONS

AT_ONCE = timedelta(0)


class KilledError(Exception):
    """Stands for the end of the process."""


async def _killed(*_: Any) -> None:
    raise KilledError


async def test_a_replay_is_the_message_as_it_was_in_its_own_trace(desk: Any, make_letter: Any) -> None:
    original = make_letter(nested={"a": [1, bytearray(b"\xff\xfe"), True, None]}, CC=["gateway.burials"])
    await desk.bury(SPEECH.name, original)
    [shown] = await desk.listed()
    answer = await desk.client.post(f"/v1/dead-letters/{shown['id']}/replay")
    assert (answer.status_code, answer.json()["replaying"]) == (202, 1)
    message = await desk.take(SPEECH.name)
    assert message.body == original.body
    assert message.message_id == original.message_id
    assert (message.content_type, message.correlation_id, message.type) == (
        original.content_type,
        original.correlation_id,
        original.type,
    )
    assert message.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
    # The same trace; the parent of what comes is the span of the replay.
    trace_ids = [str(one.headers["traceparent"]).split("-")[1] for one in (message, original)]
    assert trace_ids[0] == trace_ids[1]
    assert message.headers["traceparent"] != original.headers["traceparent"]
    assert message.headers["nested"] == {"a": [1, bytearray(b"\xff\xfe"), True, None]}
    assert message.headers[names.REPLAYS] == 1
    assert message.headers[names.HISTORY] == original.headers[names.HISTORY]
    gone = {names.ATTEMPT, names.REASON, names.CODE, names.PUBLIC_MESSAGE, names.QUEUE, "x-death", "CC"}
    assert not gone.intersection(message.headers)
    assert desk.learned == [("job-00000001", shown["id"].partition("-")[0], 1)]
    assert await desk.listed() == []
    assert (await desk.client.get(f"/v1/dead-letters/{shown['id']}")).status_code == 404


async def test_a_replay_that_fails_again_is_a_letter_of_its_own_with_a_longer_history(desk: Any) -> None:
    async def handler(_event: JobSubmitted) -> None:
        raise EngineError("still busy")

    broker = create_broker(desk.settings, TracerProvider(), "test", Circuits({}))
    subscribe(broker, SUBMISSIONS, handler, prefetch=1)
    await broker.start()
    event = JobSubmitted(job_id="job-00000001", source=SubmittedSource(key="inbox/a.mp4", name="a.mp4"))
    await Publisher(broker, "test")(event, message_id="1")
    await desk.collect(1)
    [first] = await desk.listed()
    assert (first["attempts"], first["replays"], first["reason"]) == (2, 0, "attempts-exhausted")
    await desk.client.post(f"/v1/dead-letters/{first['id']}/replay")
    await desk.collect(1)
    await drain(broker, 5)
    [second] = await desk.listed()
    assert (second["attempts"], second["replays"]) == (2, 1)
    assert second["id"] == first["id"].replace("-0", "-1")
    assert second["trace_id"] == first["trace_id"] is not None
    history = (await desk.client.get(f"/v1/dead-letters/{second['id']}")).json()["history"]
    assert [entry["attempt"] for entry in history] == [1, 2, 1, 2]


async def test_what_the_broker_buried_after_retries_is_known_by_its_own_queue(desk: Any, make_letter: Any) -> None:
    """A worker that is killed each time says nothing, and a delay tier leaves its name in the headers."""
    died = {"x-first-death-queue": "lectern.retry.5000ms", "x-first-death-reason": "expired", names.REASON: "retry"}
    await desk.publish(PAGES.name, make_letter(**died, **{names.PUBLIC_MESSAGE: "An older attempt."}))
    for _ in range(DELIVERY_LIMIT + 1):
        async with await desk.connect() as connection:  # closed with the message in hand, as by SIGKILL
            channel = await connection.channel()
            source = await channel.get_queue(PAGES.name, ensure=False)
            if await source.get(fail=False) is None:
                break
    await desk.collect(1)
    [found] = await desk.listed()
    assert (found["queue"], found["reason"], found["code"]) == (PAGES.name, "delivery-limit", "internal")
    assert "older" not in found["public_message"]
    await desk.client.post(f"/v1/dead-letters/{found['id']}/replay")
    assert "x-death" not in (await desk.take(PAGES.name)).headers


@pytest.mark.parametrize("killed_at", ["learning", "publishing", "settling"])
async def test_a_replay_that_was_killed_half_way_is_finished_by_another_gateway(
    desk: Any, make_letter: Any, killed_at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.bury(GUIDES.name, make_letter())
    [found] = await desk.listed()
    letters, post = desk.office.letters, Post(desk.connect)
    learn = _killed if killed_at == "learning" else desk.learn
    with monkeypatch.context() as patch:
        if killed_at == "publishing":
            patch.setattr("services.gateway.dead_letters.replay.message_again", lambda *_: _raise())
        if killed_at == "settling":
            patch.setattr(letters, "sent", _killed)
        with pytest.raises(KilledError):
            await Replays(letters, post, learn).replay(found["id"])
    [half] = await desk.listed()
    assert half["state"] == "replaying"
    assert (await desk.client.post(f"/v1/dead-letters/{found['id']}/replay")).status_code == 409
    assert (await desk.client.delete(f"/v1/dead-letters/{found['id']}")).status_code == 409

    heir = Replays(desk.another_office().letters, post, desk.learn, idle=AT_ONCE)
    assert await Replays(letters, post, desk.learn).finish_replays() == 0  # it may still be in hand
    assert await heir.finish_replays() == 1
    assert await heir.finish_replays() == 0
    assert await desk.depth(GUIDES.name) == (2 if killed_at == "settling" else 1)
    assert (await desk.take(GUIDES.name)).headers[names.REPLAYS] == 1
    assert set(desk.learned) == {("job-00000001", found["id"].partition("-")[0], 1)}
    assert await desk.listed() == []


def _raise() -> None:
    raise KilledError


async def test_of_two_who_replay_at_once_one_does(desk: Any, make_letter: Any) -> None:
    await desk.bury(GUIDES.name, make_letter())
    [found] = await desk.listed()
    other = desk.another_office()
    outcomes = await asyncio.gather(
        desk.office.replays.replay(found["id"]), other.replays.replay(found["id"]), other.letters.purge(found["id"])
    )
    assert sorted(outcomes) == [False, False, True]


async def test_three_hundred_are_replayed_by_filter(desk: Any, make_letter: Any) -> None:
    await desk.bury(SPEECH.name, *(make_letter(message_id=str(number)) for number in range(300)))
    await desk.bury(GUIDES.name, make_letter(message_id="other"))
    await desk.bury("nobody.knows", make_letter(message_id="foreign"))
    request = {"job_id": "job-00000001", "queue": SPEECH.name}
    answer = await desk.client.post("/v1/dead-letters/replay", json=request)
    assert answer.json() == {"replaying": 300, "unreplayable": 0}
    assert (await desk.client.post("/v1/dead-letters/replay", json=request)).json()["replaying"] == 0
    offices = (desk.office, desk.another_office())
    sent = await asyncio.gather(*(office.replays.finish_replays() for office in offices))
    assert sum(sent) == 300  # none twice, though two gateways were at it
    assert await desk.depth(SPEECH.name) == 300
    assert {found["queue"] for found in await desk.listed()} == {GUIDES.name, "nobody.knows"}
    answer = await desk.client.post("/v1/dead-letters/replay", json={"all": True})
    assert answer.json() == {"replaying": 1, "unreplayable": 1}
    foreign = (await desk.listed(queue="nobody.knows"))[0]["id"]
    assert (await desk.client.post(f"/v1/dead-letters/{foreign}/replay")).status_code == 409


async def test_the_background_replays_what_was_asked_for_at_once(desk: Any, make_letter: Any) -> None:
    await desk.bury(SPEECH.name, make_letter())
    running = asyncio.create_task(desk.office.run(pause_s=60))
    await desk.client.post("/v1/dead-letters/replay", json={"all": True})
    assert (await desk.take(SPEECH.name)).message_id == "m-1"
    running.cancel()
    await asyncio.wait([running])


async def test_without_a_broker_a_replay_is_a_promise(desk: Any, make_letter: Any) -> None:
    await desk.bury(GUIDES.name, make_letter())
    [found] = await desk.listed()

    async def nobody() -> Any:
        raise ConnectionRefusedError

    assert await Replays(desk.office.letters, Post(nobody), desk.learn).replay(found["id"])
    assert await desk.depth(GUIDES.name) == 0
    assert await Replays(desk.office.letters, Post(desk.connect), desk.learn, idle=AT_ONCE).finish_replays() == 1
    assert await desk.depth(GUIDES.name) == 1


async def test_a_large_body_is_kept_whole_and_goes_with_its_letter(desk: Any) -> None:
    body = json.dumps({"job_id": "job-00000001", "text": "x" * 3_000_000}).encode()
    await desk.bury(PAGES.name, aio_pika.Message(body, message_id="large"))
    [found] = await desk.listed()
    shown = (await desk.client.get(f"/v1/dead-letters/{found['id']}")).json()
    assert (found["size"], found["job_id"]) == (len(body), "job-00000001")
    assert shown["body"]["truncated"]
    assert len(shown["body"]["base64"]) < 100_000
    assert len([path async for path in desk.store.walk("gateway/dead-letters/")]) == 1
    await desk.client.post(f"/v1/dead-letters/{found['id']}/replay")
    assert (await desk.take(PAGES.name)).body == body
    assert await desk.office.tidier.tidy() == 1
    assert [path async for path in desk.store.walk("gateway/dead-letters/")] == []


async def test_a_burial_that_comes_twice_changes_nothing(desk: Any, make_letter: Any) -> None:
    await desk.bury(GUIDES.name, make_letter())
    [found] = await desk.listed()
    await desk.office.letters.purge_job("job-00000001")
    await desk.bury(GUIDES.name, make_letter())
    assert await desk.listed() == []
    assert await desk.office.letters.count(LetterFilter(), replayable=True) == 0
    with pytest.raises(DuplicateKeyError):
        await desk.database["dead_letters"].insert_one({"_id": found["id"]})


async def test_the_log_line_of_a_replay_in_the_background_is_in_the_trace_of_its_job(
    desk: Any, make_letter: Any
) -> None:
    await desk.bury(SPEECH.name, make_letter())
    traces = []

    def add_trace(_logger: Any, _method: str, entry: Any) -> Any:
        context = trace.get_current_span().get_span_context()
        traces.append((entry["event"], trace.format_trace_id(context.trace_id)))
        return entry

    await desk.client.post("/v1/dead-letters/replay", json={"all": True})
    with capture_logs([add_trace]):
        assert await Replays(desk.office.letters, Post(desk.connect), desk.learn, idle=AT_ONCE).finish_replays() == 1
    replayed = await desk.take(SPEECH.name)
    assert traces == [("dead letter replayed", replayed.headers["traceparent"].split("-")[1])]
