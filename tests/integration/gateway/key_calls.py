"""What tests of API keys do over HTTP, and another start of a gateway."""

from typing import Any

import httpx

from services.gateway.auth.bootstrap import bootstrap
from services.gateway.auth.keys import ApiKeys


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def anonymous(served: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=served.client._transport, base_url="http://lectern.test")


async def create(served: Any, **fields: Any) -> dict[str, Any]:
    answer = await served.client.post("/v1/keys", json={"name": "Moodle", "owner": "ana"} | fields)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return dict(answer.json())


async def listed(served: Any) -> list[dict[str, Any]]:
    return list((await served.client.get("/v1/keys")).json()["keys"])


async def status(served: Any, key: str, path: str = "/v1/jobs") -> int:
    return int((await served.client.get(path, headers=bearer(key))).status_code)


async def start(served: Any, given: str | None = None) -> None:
    """What another start of a gateway does with its first key."""
    await bootstrap(served.database, ApiKeys(served.database), served.home, given)
