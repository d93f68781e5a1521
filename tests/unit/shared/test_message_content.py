"""What a message is and says, however other systems wrote it."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messaging.content import attribute, content_of, content_whatever_its_type
from shared.messaging.headers import ROUTING_KEY, routing_key_of
from shared.messaging.logs import job_of, run_of_body
from shared.messaging.verdict import UnreadableMessageError

BODY = {"job_id": "job-00000001", "run": 2}
PLAIN = json.dumps(BODY).encode()
STRUCTURED = "application/cloudevents+json"
EVENT = {"specversion": "1.0", "type": "job.submitted.v1", "source": "/lms", "id": "1"}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (PLAIN, "application/json"),
        (PLAIN, "Application/JSON; charset=UTF-8"),
        (PLAIN, 'application/json;charset="utf-8"'),
        (b"\xef\xbb\xbf" + PLAIN, "application/json"),
        (PLAIN.decode().encode("utf-16"), "application/json"),
        (json.dumps({**EVENT, "data": BODY}).encode(), STRUCTURED),
        (json.dumps({**EVENT, "data": BODY}).encode(), f"{STRUCTURED}; charset=utf-8"),
        (json.dumps({**EVENT, "data_base64": base64.b64encode(PLAIN).decode()}).encode(), STRUCTURED),
    ],
)
def test_content_is_read_in_every_mode(body: bytes, content_type: str) -> None:
    assert content_of(body, content_type).data == BODY
    assert job_of(body, content_type) == "job-00000001"
    assert run_of_body(body, content_type) == 2


@pytest.mark.parametrize(
    ("body", "content_type", "word"),
    [
        (PLAIN, None, "content type"),
        (PLAIN, "text/plain", "content type"),
        (PLAIN, "application/cloudevents-batch+json", "content type"),
        (PLAIN, "application/json; charset=nonsense", "nonsense"),
        (PLAIN, "application/json; charset=zlib", "zlib"),
        (b"", "application/json", "JSON"),
        (b"\xff\xfe\x00", "application/json", "JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "application/json", "JSON"),
        (b"[" * 20_000, "application/json", "JSON"),
        (b"[]", "application/json", "object"),
        (b"null", "application/json", "object"),
        (PLAIN, STRUCTURED, "data"),
        (b'{"data": "text"}', STRUCTURED, "data"),
        (b'{"data_base64": "*"}', STRUCTURED, "base64"),
        (b'{"data_base64": "W10="}', STRUCTURED, "data"),
    ],
)
def test_what_cannot_be_read_says_why(body: bytes, content_type: str | None, word: str) -> None:
    with pytest.raises(UnreadableMessageError, match=word):
        content_of(body, content_type)


@given(st.binary(max_size=200), st.one_of(st.none(), st.text(max_size=60)))
def test_no_message_is_too_strange_to_be_refused(body: bytes, content_type: str | None) -> None:
    try:
        read = content_of(body, content_type)
    except UnreadableMessageError:
        return
    assert content_whatever_its_type(body) == read


@pytest.mark.parametrize("name", ["cloudEvents:type", "cloudEvents_type", "ce-type", "ce_type", "CE-Type"])
def test_an_attribute_is_found_under_every_prefix(name: str) -> None:
    assert attribute({"other": 1, name: "job.submitted.v1"}, "type") == "job.submitted.v1"
    assert attribute({name: ""}, "type") is None


QUEUE = "gateway.progress"
DIED: list[dict[str, Any]] = [
    {"queue": "lectern.retry.5000ms", "reason": "expired", "routing-keys": [QUEUE]},
    {"queue": QUEUE, "reason": "delivery_limit", "routing-keys": ["job.submitted.v1"]},
]


@pytest.mark.parametrize(
    ("headers", "delivered_with", "key"),
    [
        ({}, "job.submitted.v1", "job.submitted.v1"),
        ({ROUTING_KEY: "job.submitted.v1"}, QUEUE, "job.submitted.v1"),
        ({ROUTING_KEY: "a stranger's"}, "job.submitted.v1", "job.submitted.v1"),
        ({"x-death": DIED}, QUEUE, "job.submitted.v1"),
        ({"x-death": DIED}, None, "job.submitted.v1"),
        ({"x-death": DIED[:1]}, QUEUE, None),
        ({"x-death": "never"}, QUEUE, None),
        ({"x-death": [1, {"routing-keys": 5}, {"routing-keys": [7, ""]}]}, QUEUE, None),
        ({ROUTING_KEY: 17}, QUEUE, None),
        ({}, QUEUE, None),
    ],
)
def test_the_first_routing_key_is_found(headers: dict[str, Any], delivered_with: str | None, key: str | None) -> None:
    assert routing_key_of(headers, delivered_with, QUEUE) == key
