"""A client made from the OpenAPI document alone does what the API offers, and knows every error that it is told."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import jsonschema  # type: ignore[import-untyped]  # it has none
import pytest

from services.gateway.app import routes_only

DOCUMENT = routes_only().openapi()


class MadeClient:
    """A method an operation, as generators of clients make it: named by its id, arguments by the parameters' names."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        for path, methods in DOCUMENT["paths"].items():
            for method, operation in methods.items():
                setattr(self, operation["operationId"], self._method(path, method, operation))

    def _method(self, path: str, method: str, operation: Any) -> Callable[..., Awaitable[Any]]:
        async def call(**arguments: Any) -> Any:
            places: dict[str, dict[str, str]] = {"path": {}, "query": {}, "header": {}, "cookie": {}}
            for parameter in operation.get("parameters", ()):
                name = parameter["name"].replace("-", "_").lower()
                if name in arguments:
                    places[parameter["in"]][parameter["name"]] = str(arguments.pop(name))
                else:
                    assert not parameter["required"], parameter["name"]
            body: dict[str, Any] = {}
            for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
                if media_type == "application/json":
                    body["json"] = arguments
                else:
                    properties = content["schema"]["properties"]
                    assert arguments.keys() <= properties.keys()
                    files = {name for name in arguments if properties[name].get("format") == "binary"}
                    body["files"] = {name: arguments[name] for name in files}
                    body["data"] = {name: arguments[name] for name in arguments.keys() - files}
            answer = await self._http.request(
                method, path.format(**places["path"]), params=places["query"], headers=places["header"], **body
            )
            return understood(operation, answer)

        return call


def understood(operation: Any, answer: httpx.Response) -> Any:
    """What an answer says; it is what the document promises for its status."""
    told = operation["responses"][str(answer.status_code)]
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if "content" not in told:
        assert answer.content == b""
        return None
    assert kind in told["content"] or "application/octet-stream" in told["content"]
    if not kind.endswith("json"):
        return answer.content
    schema = {**told["content"][kind]["schema"], "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(schema).validate(answer.json())
    return answer.json()


@pytest.fixture
def client(served: Any) -> Any:
    return MadeClient(served.client)


async def test_a_job_by_the_made_client(client: Any) -> None:
    job = await client.submit_job(file=("week-3.mp4", b"content"), paper="us-letter", idempotency_key="once")
    again = await client.submit_job(file=("week-3.mp4", b"content"), paper="us-letter", idempotency_key="once")
    assert (again["job_id"], job["parameters"]["paper"]) == (job["job_id"], "us-letter")
    assert (await client.get_job(job_id=job["job_id"]))["status"] == "submitted"
    assert [found["job_id"] for found in (await client.list_jobs(limit=5))["jobs"]] == [job["job_id"]]
    assert (await client.cancel_job(job_id=job["job_id"]))["status"] == "cancelled"
    assert (await client.cancel_job(job_id=job["job_id"]))["status"] == "cancelled"
    assert b"event: job" in await client.follow_job(job_id=job["job_id"])
    assert (await client.retry_job(job_id=job["job_id"]))["run"] == 2
    assert (await client.retry_job(job_id=job["job_id"]))["type"] == "urn:lectern:problem:not-retryable"
    assert (await client.get_artifact(job_id=job["job_id"], name="handout.pdf"))["status"] == 404
    assert await client.delete_job(job_id=job["job_id"]) is None
    assert (await client.get_job(job_id=job["job_id"]))["status"] == 404


async def test_administration_by_the_made_client(client: Any) -> None:
    made = await client.create_key(name="Moodle", owner="ana")
    assert made["id"] in {key["id"] for key in (await client.list_keys())["keys"]}
    assert (await client.revoke_key(key_id=made["id"]))["revoked_at"]
    assert (await client.create_key(name="", owner="ana"))["status"] == 422
    assert (await client.list_dead_letters())["dead_letters"] == []
    assert await client.replay_dead_letters(all=True) == {"replaying": 0, "unreplayable": 0}
    assert (await client.replay_dead_letters())["type"] == "urn:lectern:problem:filter-needed"
    assert await client.purge_dead_letters(job_id="job-00000001") == {"purged": 0}
    for call in (client.get_dead_letter, client.replay_dead_letter, client.purge_dead_letter):
        assert (await call(letter_id="0" * 24 + "-0"))["status"] == 404
    assert "/login/once?token=" in (await client.create_sign_in_link())["url"]


WRONG: dict[int, dict[str, Any]] = {
    401: {"headers": {"Authorization": "Bearer lk_unknown"}},
    413: {"content": b" " * 4_100_000},
    421: {"headers": {"Host": "evil.test"}},
    415: {"headers": {"Content-Encoding": "gzip"}, "content": b"x"},
    422: {"params": {"nonsense": "1"}},
}


@pytest.mark.parametrize("status", WRONG)
async def test_every_operation_tells_what_is_wrong_as_it_promises(served: Any, status: int) -> None:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            values = {"job_id": "job-00000001", "letter_id": "0" * 24 + "-0", "key_id": "0" * 12, "name": "handout.pdf"}
            if status == 415 and method != "post":  # the others take no body at all
                continue
            answer = await served.client.request(method, path.format(**values), **WRONG[status])
            assert (method, path, answer.status_code) == (method, path, status)
            assert understood(operation, answer)["status"] == status


async def test_every_operation_that_changes_something_refuses_a_forged_request(served: Any) -> None:
    link = (await served.client.post("/v1/sign-in-links")).json()["url"]
    async with httpx.AsyncClient(transport=served.client._transport, base_url="http://lectern.test") as browser:
        await browser.get(link)
        assert (await browser.get("/v1/jobs")).status_code == 200
        for path, methods in DOCUMENT["paths"].items():
            for method, operation in methods.items():
                if method != "get":
                    answer = await browser.request(method, path)
                    assert (method, path, answer.status_code) == (method, path, 403)
                    assert understood(operation, answer)["status"] == 403
