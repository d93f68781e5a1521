"""API keys: listed, created, revoked, expired, replaced, and what ends with them."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.gateway.auth.keys import ApiKeys
from services.gateway.auth.secrets import hashed
from services.gateway.auth.sessions import Sessions
from shared.errors import DatabaseError
from tests.integration.gateway.key_calls import anonymous, bearer, create, listed, status


@pytest.mark.parametrize("owner", ["ana", "ben+lectures@example.org", "a" * 64])
async def test_whoever_can_have_a_key_can_submit_with_it(served: Any, owner: str) -> None:
    key = (await create(served, owner=owner))["key"]
    answer = await served.client.post("/v1/jobs", files=[("file", ("a.mp4", b"x"))], headers=bearer(key))
    assert answer.status_code == 202, answer.text
    [(_, event)] = served.publisher.sent
    assert event.owner == owner


async def test_a_created_key_works_and_its_secret_is_shown_once(served: Any) -> None:
    made = await create(served)
    key = made.pop("key")
    assert re.fullmatch(r"lk_[\w-]{43}", key)
    assert await status(served, key) == 200
    [shown, first] = await listed(served)
    assert shown | {"last_used_at": None} == made
    assert (made["name"], made["owner"], made["role"], made["expires_at"]) == ("Moodle", "ana", "user", None)
    assert (first["name"], first["owner"], first["role"]) == ("first key", "local", "administrator")
    text = (await served.client.get("/v1/keys")).text
    assert key not in text
    assert hashed(key)[:12] not in text
    assert key not in str(await served.database["api_keys"].find({}).to_list(10))


@pytest.mark.parametrize("role", ["user", "administrator"])
async def test_only_administrators_have_to_do_with_keys(served: Any, role: str) -> None:
    made = await create(served, role=role)
    expected = (200, 201) if role == "administrator" else (403, 403)
    headers = bearer(made["key"])
    read = await served.client.get("/v1/keys", headers=headers)
    written = await served.client.post("/v1/keys", headers=headers, json={"name": "x", "owner": "x"})
    revoked = await served.client.delete(f"/v1/keys/{made['id']}", headers=headers)
    assert (read.status_code, written.status_code) == expected
    assert revoked.status_code == (200 if role == "administrator" else 403)
    async with anonymous(served) as client:
        assert (await client.get("/v1/keys")).status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"role": "root"},
        {"name": ""},
        {"name": "a\nb"},
        {"name": "x" * 101},
        {"owner": ""},
        {"owner": "a/b"},
        {"owner": None},
        {"expires_in_days": 0},
        {"expires_in_days": 1.5},
        {"expires_in_days": "7"},
        {"expires_in_days": True},
        {"expires_in_days": 10**30},
        {"expire_in_days": 7},
        {"key": "lk_chosen-by-the-caller"},
    ],
)
async def test_a_key_that_cannot_be_made_is_refused_by_field(served: Any, changes: dict[str, Any]) -> None:
    answer = await served.client.post("/v1/keys", json={"name": "Moodle", "owner": "ana"} | changes)
    assert answer.status_code == 422
    assert next(iter(changes)) in str(answer.json()["errors"])
    assert len(await listed(served)) == 1


async def test_a_revoked_key_is_refused_at_once_everywhere(served: Any) -> None:
    made = await create(served)
    replica = ApiKeys(served.database)
    assert await replica.identify(made["key"]) is not None
    answer = await served.client.delete(f"/v1/keys/{made['id']}")
    assert answer.status_code == 200
    assert answer.json()["revoked_at"] is not None
    assert await status(served, made["key"]) == 401
    assert await replica.identify(made["key"]) is None
    again = await served.client.delete(f"/v1/keys/{made['id']}")
    assert again.json()["revoked_at"] == answer.json()["revoked_at"]
    assert next(key for key in await listed(served) if key["id"] == made["id"])["revoked_at"] is not None


async def test_an_expired_key_is_refused(served: Any) -> None:
    made = await create(served, expires_in_days=7)
    lasts = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["created_at"])
    assert lasts == timedelta(days=7)
    assert await status(served, made["key"]) == 200
    past = datetime.now(UTC) - timedelta(seconds=1)
    await served.database["api_keys"].update_one({"id": made["id"]}, {"$set": {"expires_at": past}})
    assert await status(served, made["key"]) == 401
    assert {key["id"]: key["expired"] for key in await listed(served)}[made["id"]]


@pytest.mark.parametrize("end", ["revoked", "expired"])
async def test_sessions_and_links_end_with_their_key(served: Any, end: str) -> None:
    made = await create(served)
    links = [
        (await served.client.post("/v1/sign-in-links", headers=bearer(made["key"]))).json()["url"] for _ in range(2)
    ]
    async with anonymous(served) as by_key, anonymous(served) as by_link:
        assert (await by_key.post("/login", data={"key": made["key"]})).status_code == 303
        assert (await by_link.get(links[0])).status_code == 200
        for client in (by_key, by_link):
            assert (await client.get("/v1/jobs")).status_code == 200
        if end == "revoked":
            await served.client.delete(f"/v1/keys/{made['id']}")
        else:
            past = datetime.now(UTC) - timedelta(seconds=1)
            await served.database["api_keys"].update_one({"id": made["id"]}, {"$set": {"expires_at": past}})
        for client in (by_key, by_link):
            assert (await client.get("/v1/jobs")).status_code == 401
        async with anonymous(served) as late:
            assert (await late.get(links[1])).headers["location"] == "/?refused=link"
            assert (await late.post("/login", data={"key": made["key"]})).headers["location"] == "/?refused=key"


async def test_sessions_from_before_keys_had_ids_stay(served: Any) -> None:
    async with anonymous(served) as client:
        await client.post("/login", data={"key": served.key})
        await served.database["sessions"].update_many({}, {"$unset": {"key_id": ""}})
        assert (await client.get("/v1/jobs")).status_code == 200


async def test_the_last_administrators_key_cannot_be_revoked(served: Any) -> None:
    await create(served)
    spent = await create(served, role="administrator")
    await served.client.delete(f"/v1/keys/{spent['id']}")
    first = (await listed(served))[-1]
    answer = await served.client.delete(f"/v1/keys/{first['id']}")
    assert answer.status_code == 409
    assert "Create another administrator's key first" in answer.json()["detail"]
    other = await create(served, role="administrator")
    assert (await served.client.delete(f"/v1/keys/{first['id']}")).status_code == 200
    assert await status(served, served.key) == 401
    assert await status(served, other["key"], "/v1/keys") == 200


async def test_two_who_revoke_each_other_leave_one(served: Any) -> None:
    other = await create(served, role="administrator")
    first = (await listed(served))[-1]
    answers = await asyncio.gather(
        served.client.delete(f"/v1/keys/{first['id']}"),
        served.client.delete(f"/v1/keys/{other['id']}", headers=bearer(other["key"])),
    )
    assert {answer.status_code for answer in answers} & {401, 409}
    assert 200 in {await status(served, served.key), await status(served, other["key"])}


@pytest.mark.parametrize(("key_id", "expected"), [("0" * 12, 404), ("short", 422), ("g" * 12, 422)])
async def test_a_key_that_there_is_not(served: Any, key_id: str, expected: int) -> None:
    assert (await served.client.delete(f"/v1/keys/{key_id}")).status_code == expected


async def used_at(served: Any, key_id: str) -> Any:
    return (await served.database["api_keys"].find_one({"id": key_id})).get("last_used_at")


async def settle(keys: ApiKeys) -> None:
    while keys._notes:
        await asyncio.gather(*keys._notes.values())


async def test_use_is_noted_once_in_ten_minutes(served: Any) -> None:
    made = await create(served)
    keys = served.gateway.keys
    assert made["last_used_at"] is None
    await asyncio.gather(*(status(served, made["key"]) for _ in range(5)))
    await settle(keys)
    first = await used_at(served, made["id"])
    assert abs(datetime.now(UTC) - first) < timedelta(minutes=1)
    await status(served, made["key"])
    await ApiKeys(served.database)._write_use(hashed(made["key"]))  # a replica that had read the key before that
    await settle(keys)
    assert await used_at(served, made["id"]) == first
    before = first - timedelta(minutes=11)
    await served.database["api_keys"].update_one({"id": made["id"]}, {"$set": {"last_used_at": before}})
    await status(served, made["key"])
    await settle(keys)
    assert await used_at(served, made["id"]) > before


async def test_use_that_cannot_be_noted_refuses_and_delays_nothing(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await create(served)
    keys = served.gateway.keys
    goes_on = asyncio.Event()

    class Hanging:
        def __init__(self, real: Any) -> None:
            self._real = real

        def __getattr__(self, name: str) -> Any:
            return getattr(self._real, name)

        async def update_one(self, *_: Any, **__: Any) -> None:
            await goes_on.wait()
            raise DatabaseError("full")

    monkeypatch.setattr(keys, "_keys", Hanging(keys._keys))
    async with asyncio.timeout(10):
        assert await status(served, made["key"]) == 200
        goes_on.set()
        await settle(keys)
        assert await status(served, made["key"]) == 200
        await settle(keys)
    assert await used_at(served, made["id"]) is None


async def test_a_session_of_a_lost_key_is_none(served: Any) -> None:
    keys = ApiKeys(served.database)
    sessions = Sessions(served.database, keys, session_s=60, link_s=60)
    identity = await keys.identify(served.key)
    assert identity is not None
    secret = await sessions.begin(identity)
    assert await sessions.find(secret) is not None
    await served.database["api_keys"].delete_many({})
    assert await sessions.find(secret) is None
