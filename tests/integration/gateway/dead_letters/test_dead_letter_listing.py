"""Looking at dead letters: who may, what is shown of the strangest, and that it takes nothing away (PIP-4)."""

import base64
import gzip
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import aio_pika
import pika
import pytest

from shared.errors import LecternError
from shared.messaging import headers as names
from shared.messaging.topology import DEAD_LETTERS_EXCHANGE, GUIDES, PAGES, SPEECH

UNKNOWN = "0" * 24 + "-0"
BODIES = {
    "bad JSON": b'{"job_id": ',
    "wrong schema": b'{"job_id": 7}',
    "empty": b"",
    "null": b"null",
    "list": b"[1, 2]",
    "text": b"hello",
    "binary": bytes(range(256)),
    "latin-1": "Prüfung".encode("latin-1"),
    "gzip": gzip.compress(b"{}"),
    "not a number": b'{"x": NaN, "y": Infinity}',
    "huge number": b"[" + b"9" * 5000 + b"]",
    "deeply nested": b"[" * 5000 + b"]" * 5000,
    "rather nested": b"[" * 300 + b"]" * 300,
    "half a pair": b'{"job_id": "job-\\ud800", "x": "\\udfff"}',
    "UTF-16": '{"job_id": "job-00000001"}'.encode("utf-16"),
    "long job id": json.dumps({"job_id": "j" * 70}).encode(),
}
LIES: dict[str, dict[str, Any]] = {
    "none": {},
    "numbers": {names.REASON: 7, names.CODE: 1.5, names.ATTEMPT: True, names.HISTORY: 3, names.REPLAYS: -5},
    "bytes": {name: bytearray(b"\xff\xfe") for name in (names.REASON, names.HISTORY, names.REPLAYS, "traceparent")},
    "tables": {name: {"a": [1, {"b": None}]} for name in (names.REASON, names.CODE, names.ATTEMPT, names.HISTORY)},
    "broken history": {names.HISTORY: '[1, null, {"attempt": "x", "text": {"a": "\\ud800"}}, {'},
    "strange history": {names.HISTORY: '[1, null, {"attempt": 1e99, "text": {"a": "\\ud800"}}]'},
    "numerous digits": {names.HISTORY: "[" + "9" * 5000 + "]", names.ATTEMPT: "9" * 5000},
    "long texts": {names.PUBLIC_MESSAGE: "x" * 60_000, names.REASON: "y" * 5000, names.CODE: "z" * 5000},
    "death by hand": {"x-death": "yesterday", "x-first-death-queue": 5},
    "strange deaths": {"x-death": [1, {"reason": 7}], names.REASON: "permanent-error"},
    "types": {"when": datetime(2026, 3, 1, tzinfo=UTC), "price": Decimal("1.50"), "no": None},
    "names": {"$set": 1, "a.b": 2, "": 3, "ü" * 60: 4, "\x00": 5},
    "wrong trace": {"traceparent": "00-" + "0" * 32 + "-00f067aa0ba902b7-01"},
}


@pytest.mark.parametrize("kind", BODIES)
async def test_any_body_is_kept_shown_and_sent_again(desk: Any, kind: str) -> None:
    body = BODIES[kind]
    await desk.bury(PAGES.name, aio_pika.Message(body, message_id=kind))
    [found] = await desk.listed()
    assert (found["reason"], found["job_id"], found["size"]) == (
        "unknown",
        "job-00000001" if kind == "UTF-16" else None,
        len(body),
    )
    answer = await desk.client.get(f"/v1/dead-letters/{found['id']}")
    assert answer.status_code == 200, answer.text
    shown = answer.json()["body"]
    if shown["base64"] is None:
        assert shown["json"] == json.loads(body)
    else:
        assert base64.b64decode(shown["base64"]) == body
    assert (shown["base64"] is None) == (kind in ("wrong schema", "list", "UTF-16", "long job id"))
    await desk.client.post(f"/v1/dead-letters/{found['id']}/replay")
    assert (await desk.take(PAGES.name)).body == body


@pytest.mark.parametrize("kind", LIES)
async def test_headers_may_say_anything(desk: Any, kind: str) -> None:
    await desk.bury(PAGES.name, aio_pika.Message(b"{}", headers=LIES[kind]))
    [found] = await desk.listed()
    assert found["attempts"] in (0, 1)
    assert (found["replays"], found["trace_id"], found["trace_url"]) == (0, None, None)
    assert len(found["public_message"]) <= 1000
    if kind not in ("long texts", "strange deaths"):
        assert (found["reason"], found["public_message"]) == ("unknown", LecternError.default_message)
    answer = await desk.client.get(f"/v1/dead-letters/{found['id']}")
    assert answer.status_code == 200, answer.text
    assert set(answer.json()["headers"]) == {name.encode()[:128].decode() for name in LIES[kind]}
    await desk.client.post(f"/v1/dead-letters/{found['id']}/replay")
    message = await desk.take(PAGES.name)
    for name in ("when", "price", "no", "$set", "a.b", ""):
        assert message.headers.get(name) == LIES[kind].get(name)


async def test_text_in_no_encoding_comes_from_other_clients(desk: Any) -> None:
    """A client that writes strings as it likes: this project's own could neither send these again nor fail on them."""
    parameters = pika.URLParameters(desk.settings.amqp_url.get_secret_value())
    connection = pika.BlockingConnection(parameters)
    properties = pika.BasicProperties(
        headers={"name": b"\xff\xfe", "big": 2**40}, user_id=parameters.credentials.username, expiration="600000"
    )
    channel = connection.channel()
    channel.confirm_delivery()
    channel.basic_publish(DEAD_LETTERS_EXCHANGE.name, PAGES.name, b"{}", properties)
    connection.close()
    await desk.collect(1)
    [found] = await desk.listed()
    shown = (await desk.client.get(f"/v1/dead-letters/{found['id']}")).json()
    assert shown["headers"]["name"] == {"base64": base64.b64encode(b"\xff\xfe").decode()}
    await desk.client.post(f"/v1/dead-letters/{found['id']}/replay")
    message = await desk.take(PAGES.name)
    assert (message.headers["name"], message.headers["big"]) == (bytearray(b"\xff\xfe"), 2**40)
    assert (message.user_id, message.expiration) == (None, None)


async def test_pages_and_filters(desk: Any, make_letter: Any) -> None:
    for number in range(7):
        queue = SPEECH if number % 2 else GUIDES
        reason = "permanent-error" if number < 2 else "attempts-exhausted"
        await desk.bury(queue.name, make_letter(f"job-{number:08d}", str(number), **{names.REASON: reason}))
    everything = [found["message_id"] for found in await desk.listed()]
    assert everything == ["6", "5", "4", "3", "2", "1", "0"]
    pages, cursor = [], None
    while True:
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        answer = (await desk.client.get("/v1/dead-letters", params=query)).json()
        pages.append([found["message_id"] for found in answer["dead_letters"]])
        if (cursor := answer["cursor"]) is None:
            break
    assert pages == [["6", "5", "4"], ["3", "2", "1"], ["0"]]
    assert [found["message_id"] for found in await desk.listed(queue=SPEECH.name)] == ["5", "3", "1"]
    assert [found["message_id"] for found in await desk.listed(reason="permanent-error")] == ["1", "0"]
    assert [found["message_id"] for found in await desk.listed(job_id="job-00000004")] == ["4"]
    assert await desk.listed(job_id="job-00000004", queue=SPEECH.name) == []
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    [found] = await desk.listed(job_id="job-00000004")
    assert (found["trace_id"], found["trace_url"]) == (trace_id, f"http://traces.test/trace/{trace_id}")
    assert (found["code"], found["reason"]) == ("engine", "attempts-exhausted")
    assert (await desk.client.get("/v1/dead-letters", params={"cursor": "x"})).status_code == 422


async def test_looking_takes_nothing_away_and_keeps_no_worker_waiting(desk: Any, make_letter: Any) -> None:
    await desk.bury(SPEECH.name, *(make_letter(message_id=str(number)) for number in range(20)))
    await desk.publish(SPEECH.name, *(make_letter(message_id=f"work {number}") for number in range(20)))
    async with await desk.connect() as connection:
        channel = await connection.channel()
        work = await channel.get_queue(SPEECH.name, ensure=False)
        for number in range(20):
            found = await desk.listed()
            await desk.client.get(f"/v1/dead-letters/{found[number]['id']}")
            message = await work.get()
            assert message.message_id == f"work {number}"
            await message.ack()
    assert len(await desk.listed()) == 20
    assert await desk.depth(SPEECH.dead_letters) == 20


async def test_only_an_administrator_may(desk: Any, make_letter: Any) -> None:
    await desk.bury(GUIDES.name, make_letter())
    [found] = await desk.listed()
    requests = [
        ("GET", "/v1/dead-letters"),
        ("GET", f"/v1/dead-letters/{found['id']}"),
        ("POST", f"/v1/dead-letters/{found['id']}/replay"),
        ("POST", "/v1/dead-letters/replay"),
        ("DELETE", f"/v1/dead-letters/{found['id']}"),
        ("DELETE", "/v1/dead-letters?all=true"),
    ]
    async with desk.as_user() as user, desk.anonymous() as nobody:
        for method, path in requests:
            answer = await user.request(method, path, json={"all": True} if path.endswith("replay") else None)
            assert answer.status_code == 403, (method, path)
            assert answer.headers["content-type"] == "application/problem+json"
            assert "api-key" in answer.json()["detail"]
            assert (await nobody.request(method, path)).status_code == 401
    assert len(await desk.listed()) == 1


@pytest.mark.parametrize("administrator", [True, False])
async def test_a_session_has_the_role_of_who_made_its_link(desk: Any, *, administrator: bool) -> None:
    async with desk.as_user() as user, desk.anonymous() as browser:
        maker = desk.client if administrator else user
        link = (await maker.post("/v1/sign-in-links")).json()["url"]
        assert (await browser.get(link)).status_code == 200
        assert (await browser.get("/v1/dead-letters")).status_code == (200 if administrator else 403)
        forged = await browser.delete("/v1/dead-letters", params={"all": "true"})
        assert forged.status_code == 403  # a browser shows proof that the page itself asks
        assert "own page" in forged.json()["detail"]


async def test_keys_and_sessions_from_before_there_were_roles_are_no_administrators(desk: Any) -> None:
    async with desk.anonymous() as browser:
        await browser.get((await desk.client.post("/v1/sign-in-links")).json()["url"])
        for name in ("api_keys", "sessions"):
            await desk.database[name].update_many({}, {"$unset": {"administrator": ""}})
        assert (await browser.get("/v1/dead-letters")).status_code == 403
    assert (await desk.client.get("/v1/dead-letters")).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", f"/v1/dead-letters/{UNKNOWN}", None, 404),
        ("POST", f"/v1/dead-letters/{UNKNOWN}/replay", None, 404),
        ("DELETE", f"/v1/dead-letters/{UNKNOWN}", None, 404),
        ("GET", "/v1/dead-letters/x", None, 422),
        ("GET", f"/v1/dead-letters/{UNKNOWN}0000000", None, 422),
        ("DELETE", "/v1/dead-letters", None, 422),
        ("POST", "/v1/dead-letters/replay", {}, 422),
        ("POST", "/v1/dead-letters/replay", {"queue": "q", "jobs": "x"}, 422),
        ("GET", "/v1/dead-letters?limit=101", None, 422),
    ],
)
async def test_wrong_requests_are_refused(desk: Any, method: str, path: str, content: Any, status: int) -> None:
    answer = await desk.client.request(method, path, json=content)
    assert answer.status_code == status
    assert answer.json()["detail"]
