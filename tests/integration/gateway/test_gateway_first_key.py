"""The first key, which each start of a gateway registers: replaced, revoked, of an earlier version."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from services.gateway.auth.keys import ApiKeys
from services.gateway.auth.secrets import hashed
from tests.integration.gateway.key_calls import bearer, create, listed, start, status

OLD_KEY = "lk_of-an-earlier-version-000"
FIRST, SECOND = "lk_first-of-some-length-0001", "lk_second-of-some-length-0002"


async def test_another_first_key_revokes_the_one_before(served: Any) -> None:
    made = await create(served)
    (served.home / "api-key").write_text(FIRST + "\n")
    await start(served)
    assert await status(served, served.key) == 401
    assert await status(served, FIRST, "/v1/keys") == 200
    assert await status(served, made["key"]) == 200
    await start(served, SECOND)
    assert (await status(served, FIRST), await status(served, SECOND, "/v1/keys")) == (401, 200)
    keys = (await served.client.get("/v1/keys", headers=bearer(SECOND))).json()["keys"]
    assert sum(key["revoked_at"] is not None for key in keys) == 2
    await start(served, FIRST)  # a replica that still has the older setting: the last that starts wins
    assert (await status(served, FIRST, "/v1/keys"), await status(served, SECOND)) == (200, 401)


async def test_a_first_key_that_an_administrator_revoked_stays_revoked(served: Any) -> None:
    other = await create(served, role="administrator")
    await start(served, FIRST)
    headers = bearer(other["key"])
    for key in (await served.client.get("/v1/keys", headers=headers)).json()["keys"]:
        if key["owner"] == "local":
            assert (await served.client.delete(f"/v1/keys/{key['id']}", headers=headers)).status_code == 200
    await start(served, SECOND)
    for key in (FIRST, served.key):
        await start(served, key)
        assert await status(served, key) == 401
    assert await status(served, SECOND, "/v1/keys") == 200


async def test_keys_of_an_earlier_version_are_known_and_replaced(served: Any) -> None:
    keys = served.database["api_keys"]
    for name, fields in {
        OLD_KEY: {"owner": "local", "administrator": True},
        OLD_KEY + "1": {"owner": "local"},
        OLD_KEY + "2": {"owner": "ana", "administrator": False},
    }.items():
        await keys.insert_one({"_id": hashed(name), "registered_at": datetime(2026, 1, 2, tzinfo=UTC), **fields})
    await ApiKeys(served.database).prepare()
    assert await status(served, OLD_KEY, "/v1/keys") == 200
    assert len({key["id"] for key in await listed(served)}) == 4
    assert (await listed(served))[-1]["created_at"].startswith("2026-01-02")
    await start(served)
    assert [await status(served, key) for key in (OLD_KEY, OLD_KEY + "1", OLD_KEY + "2")] == [401, 401, 200]
    assert await status(served, served.key) == 200


async def test_replicas_that_start_at_once_leave_one_first_key(served: Any) -> None:
    await asyncio.gather(*(start(served) for _ in range(6)))
    assert await status(served, served.key) == 200
    assert len(await listed(served)) == 1
    for _ in range(5):
        await asyncio.gather(*(start(served, key) for key in (FIRST, SECOND, FIRST, SECOND)))
        assert sorted([await status(served, FIRST), await status(served, SECOND)]) == [200, 401]
