"""Every submission of another system that names its job ends as a job that its publisher can look at."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from shared.errors import EngineError, InvalidSourceError, SourceTooLargeError
from shared.settings import SharedSettings
from tests.integration.pipeline.event_system import EventSystem, event_system

Change = Callable[[dict[str, Any]], Any]


@pytest_asyncio.fixture
async def system(settings: SharedSettings) -> AsyncIterator[EventSystem]:
    async with event_system(settings) as running:
        yield running


def submission(system: EventSystem, **fields: Any) -> dict[str, Any]:
    job_id = str(uuid.uuid4())
    source = {"key": system.put(f"{job_id}.pdf"), "name": "week-3.pdf"}
    return {"job_id": job_id, "source": source, **fields}


def source(**fields: Any) -> Change:
    return lambda body: body | {"source": {**body["source"], **fields}}


def without(name: str) -> Change:
    return lambda body: {field: value for field, value in body.items() if field != name}


INVALID: dict[str, tuple[Change, str]] = {
    "no source": (without("source"), "`source`"),
    "a source that is a text": (lambda body: body | {"source": "inbox/a.mp4"}, "`source`"),
    "a source that is a list": (lambda body: body | {"source": [1]}, "`source`: Input should be an object."),
    "a key that is a number": (source(key=7), "`source.key`"),
    "a size below nothing": (source(size=-1), "`source.size`"),
    "no key": (lambda body: body | {"source": {"name": "a.mp4"}}, "`source.key`"),
    "no name": (lambda body: body | {"source": {"key": "inbox/a.mp4"}}, "`source.name`"),
    "a name too long": (source(name="n" * 5000 + ".mp4"), "`source.name`"),
    "a hash that is none": (source(sha256="abc"), "`source.sha256`"),
    "a paper that is none": (lambda body: body | {"parameters": {"paper": "a0"}}, "`parameters.paper`"),
    "a language that is none": (lambda body: body | {"parameters": {"language": "Klingon"}}, "`parameters.language`"),
    "a unit too short": (lambda body: body | {"parameters": {"unit_s": 1}}, "`parameters.unit_s`"),
    "an owner that cannot be": (lambda body: body | {"owner": "ana & co"}, "`owner`"),
    "a run that cannot be": (lambda body: body | {"run": 0}, "`run`"),
    "the year 1": (lambda body: body | {"submitted_at": "0001-01-01T00:00:00Z"}, "`submitted_at`"),
    "the year 9999": (lambda body: body | {"submitted_at": "9999-12-31T23:59:59-12:00"}, "`submitted_at`"),
    "a time without a zone": (lambda body: body | {"submitted_at": "2026-01-01T00:00:00"}, "`submitted_at`"),
    "traversal": (source(key="inbox/../../api-key"), "`source.key`"),
    "absolute": (source(key="/etc/passwd"), "`source.key`"),
    "another folder": (source(key="rendering/x/handout.pdf"), "`source.key`"),
    "another job's upload": (source(key="gateway/uploads/another-job/a/source"), "`source.key`"),
    "a key with a space": (source(key="inbox/week 3.mp4"), "`source.key`"),
    "a folder": (source(key="inbox/"), "`source.key`"),
    "a key too long": (source(key="inbox/" + "k" * 500), "`source.key`"),
}


@pytest.mark.parametrize("what", INVALID)
async def test_what_is_wrong_with_a_submission_is_a_failed_job_that_names_the_field(
    system: EventSystem, what: str
) -> None:
    change, field = INVALID[what]
    body = submission(system)
    await system.publish(change(body))
    job = await system.ended(body["job_id"])
    assert job["status"] == "failed"
    assert job["error"]["code"] == "invalid_message"
    assert field in job["error"]["message"], job["error"]
    assert job["error"]["permanent"]
    assert job["retryable"] is False
    assert str(system.settings.home) not in job["error"]["message"]
    answer = await system.client.post(f"/v1/jobs/{body['job_id']}/retry")
    assert answer.status_code == 409
    assert field in answer.json()["detail"]
    assert await system.letters() == []
    assert system.engine.asked == []


@pytest.mark.parametrize("content_type", ["text/plain", "", None, "application/octet-stream"])
async def test_a_content_type_that_is_not_understood_is_named(system: EventSystem, content_type: str | None) -> None:
    body = submission(system)
    await system.publish(body, content_type=content_type)
    job = await system.ended(body["job_id"])
    assert job["status"] == "failed"
    assert "content type" in job["error"]["message"]
    assert "application/json" in job["error"]["message"]
    assert await system.letters() == []


@pytest.mark.parametrize("kind", ["missing", "folder", "linked folder"])
async def test_a_file_that_is_not_there_is_named_and_can_be_put_there(system: EventSystem, kind: str) -> None:
    body = submission(system)
    key = f"inbox/{uuid.uuid4()}"
    body["source"]["key"] = key
    if kind == "folder":
        system.put(key.removeprefix("inbox/") + "/inner.pdf")
    if kind == "linked folder":
        (system.settings.home / "secret.pdf").write_text("secret")
        (system.inbox / "linked").symlink_to(system.settings.home)
        body["source"]["key"] = key = "inbox/linked/secret.pdf"
    await system.publish(body)
    job = await system.ended(body["job_id"])
    assert job["error"]["code"] == "object_not_found"
    assert f"no file {key}" in job["error"]["message"]
    assert await system.letters() == []
    assert job["retryable"] is True
    if kind == "missing":
        system.put(key.removeprefix("inbox/"))
        assert (await system.client.post(f"/v1/jobs/{body['job_id']}/retry")).status_code == 202
        await system.until(body["job_id"], lambda job: job["stages"][0]["status"] == "done")


async def test_an_id_in_upper_case_is_the_same_job(system: EventSystem) -> None:
    body = submission(system)
    await system.publish(body | {"job_id": body["job_id"].upper()})
    job = await system.until(body["job_id"], lambda job: job["stages"][0]["status"] == "done")
    assert job["job_id"] == body["job_id"]
    assert await system.job(body["job_id"].upper()) == job


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a\0b.pdf", "ab.pdf"), ("../../etc/passwd.pdf", "passwd.pdf"), ("\u202egpj.pdf", "gpj.pdf"), ("CON", "_CON")],
)
async def test_a_name_is_sanitised_as_an_upload_s_is(system: EventSystem, name: str, shown: str) -> None:
    body = submission(system)
    body["source"]["name"] = name
    await system.publish(body)
    job = await system.until(body["job_id"], lambda job: job["stages"][0]["status"] == "done")
    assert job["source"]["name"] == shown


async def test_the_same_event_thrice_is_one_job(system: EventSystem) -> None:
    body = submission(system)
    await system.publish(body, times=3)
    await system.until(body["job_id"], lambda job: job["stages"][0]["status"] == "done")
    await asyncio.sleep(1)
    jobs = (await system.client.get("/v1/jobs")).json()["jobs"]
    assert [job["job_id"] for job in jobs] == [body["job_id"]]
    assert len(system.engine.asked) == 1


async def test_a_corrected_submission_of_the_same_id_is_worked_on(system: EventSystem) -> None:
    body = submission(system)
    await system.publish(body | {"parameters": {"paper": "a0"}, "owner": "ana"})
    await asyncio.sleep(1)
    assert await system.job(body["job_id"]) is None, "it belongs to ana"
    await system.publish(body)
    job = await system.until(body["job_id"], lambda job: job["stages"][0]["status"] == "done")
    assert job["error"] is None


async def test_a_wrong_submission_harms_no_job_of_the_same_id(system: EventSystem) -> None:
    body = submission(system)
    await system.publish(body)
    await system.until(body["job_id"], lambda job: job["stages"][0]["status"] == "done")
    await system.publish(body | {"source": 7})
    await asyncio.sleep(1)
    job = await system.job(body["job_id"])
    assert job is not None
    assert job["status"] == "running"
    assert job["source"]["name"] == "week-3.pdf"


@pytest.mark.parametrize("body", [b"this is no json", b"", b'{"source": {}}', b'{"job_id": "../../x"}'])
async def test_what_names_no_job_is_a_dead_letter_with_a_reason(system: EventSystem, body: bytes) -> None:
    await system.publish(body)
    for queue in ("ingest.submissions", "gateway.progress"):
        assert (await system.letter(queue=queue))["reason"] == "invalid-message"


@pytest.mark.parametrize("error", [InvalidSourceError("This file is empty."), SourceTooLargeError("Too long.")])
async def test_a_source_that_cannot_be_used_is_its_job_s_outcome_and_nobody_s_dead_letter(
    system: EventSystem, error: InvalidSourceError
) -> None:
    system.engine.error = error
    body = submission(system)
    await system.publish(body)
    job = await system.ended(body["job_id"])
    assert job["error"] == {
        "code": error.code,
        "message": error.public_message,
        "stage": "ingest",
        "permanent": True,
    }
    assert job["retryable"] is False
    assert (await system.client.post(f"/v1/jobs/{body['job_id']}/retry")).status_code == 409
    assert await system.letters() == []


@pytest.mark.parametrize(
    ("speaks", "language", "accepted"), [(True, "de", False), (True, "en", True), (False, "de", True)]
)
async def test_speech_in_a_language_that_the_model_does_not_have_is_refused(
    system: EventSystem, language: str, *, speaks: bool, accepted: bool
) -> None:
    system.engine.speaks = speaks
    body = submission(system) | {"parameters": {"language": language}}
    await system.publish(body)
    job = await system.until(body["job_id"], lambda job: bool(job["error"]) or job["stages"][0]["status"] == "done")
    assert (job["error"] is None) == accepted
    if not accepted:
        assert "not in de" in job["error"]["message"]
        assert job["retryable"] is False


@pytest.mark.parametrize("language", ["xx", "ru"])
async def test_a_document_in_a_language_that_no_engine_has_is_refused_as_over_http(
    system: EventSystem, language: str
) -> None:
    body = submission(system) | {"parameters": {"language": language}}
    await system.publish(body)
    job = await system.until(body["job_id"], lambda job: bool(job["error"]) or job["stages"][0]["status"] == "done")
    if language == "ru":
        assert job["error"] is None
        return
    assert job["status"] == "failed"
    assert job["error"]["message"].startswith("No engine here has this language. Send one of: ")
    assert job["retryable"] is False


async def test_an_engine_s_fault_is_still_a_dead_letter_and_can_be_tried_again(system: EventSystem) -> None:
    system.engine.error = EngineError("crashed")
    body = submission(system)
    await system.publish(body)
    job = await system.ended(body["job_id"])
    assert job["retryable"] is True
    assert (await system.letter(job_id=body["job_id"]))["reason"] == "attempts-exhausted"
