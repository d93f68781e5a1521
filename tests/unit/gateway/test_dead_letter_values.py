"""Identity and headers of dead letters, whatever they hold."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.dead_letters.letter import dead_letter_of, key_of, letter_id
from services.gateway.dead_letters.view import body_of
from shared.messaging import headers as names
from shared.messaging.wire import pack, portable, readable, unpack

QUEUES = st.sampled_from(["ingest.submissions", "rendering.guides", "x"])
IDS = st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=80)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats()
    | TEXTS
    | st.binary(max_size=40)
    | st.binary(max_size=40).map(bytearray)
    | st.datetimes()
    | st.datetimes(timezones=st.just(UTC))
    | st.decimals()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=6
)
HEADERS = st.dictionaries(TEXTS | st.sampled_from(sorted(vars(names).keys())), VALUES, max_size=4)
OURS = st.sampled_from([getattr(names, name) for name in ("ATTEMPT", "REPLAYS", "HISTORY", "REASON", "CODE")])


def message(headers: dict[str, Any], body: bytes = b"{}", queue: str | None = "rendering.guides") -> Any:
    fields = ("content_type", "content_encoding", "correlation_id", "reply_to", "type", "app_id", "priority")
    blank = dict.fromkeys((*fields, "timestamp", "message_id"))
    return SimpleNamespace(**blank, headers=headers, body=body, routing_key=queue)


@given(QUEUES, IDS, st.binary(), QUEUES, IDS, st.binary())
def test_two_messages_have_one_identity_only_if_they_are_the_same(
    queue: str, message_id: str | None, body: bytes, queue_b: str, message_id_b: str | None, body_b: bytes
) -> None:
    same = (queue, message_id, body) == (queue_b, message_id_b, body_b)
    assert (letter_id(queue, message_id, body) == letter_id(queue_b, message_id_b, body_b)) == same


@given(st.binary(), st.integers(0, 9), st.integers(0, 9))
def test_a_replay_has_the_identity_of_its_message(body: bytes, replays: int, attempts: int) -> None:
    first = dead_letter_of(message({}, body))
    later = dead_letter_of(message({names.REPLAYS: replays, names.ATTEMPT: attempts, "traceparent": "x"}, body))
    assert (first.letter, later.replays) == (later.letter, replays)
    assert (
        later.id == f"{first.letter}-{replays}" == key_of("rendering.guides", message({names.REPLAYS: replays}, body))
    )


@given(HEADERS)
def test_headers_survive_the_database_as_the_broker_would_carry_them(headers: dict[str, Any]) -> None:
    again = unpack(pack(headers))
    assert pack(again) == pack(headers)  # compared as bytes: no NaN equals itself
    assert unpack(pack(again)).keys() == {name.encode()[:128].decode(errors="ignore") for name in headers}


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1,
        2**63 - 1,
        -(2**63),
        0.5,
        "ü",
        bytearray(b"\xff"),
        Decimal("-1.25"),
        [1, ["a"]],
        {"a": {"b": 1}},
        datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
    ],
)
def test_what_amqp_has_comes_back_equal(value: Any) -> None:
    [found] = unpack(pack({"x": value})).values()
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e300, "1e+300"), (2**70, str(2**70)), (Decimal("1e-300"), "1E-300"), (b"\xff", bytearray(b"\xff"))],
)
def test_what_amqp_has_not_is_sent_as_the_nearest(value: Any, text: Any) -> None:
    assert portable(value) == text


@given(VALUES)
def test_anything_can_be_shown(value: Any) -> None:
    json.dumps(readable(value), allow_nan=False, ensure_ascii=False).encode()


@given(st.dictionaries(OURS | TEXTS, VALUES | st.text(max_size=30), max_size=4), st.binary(), st.none() | TEXTS)
def test_no_letter_is_too_strange(headers: dict[str, Any], body: bytes, queue: str | None) -> None:
    found = dead_letter_of(message(headers, body, queue))
    assert 0 <= found.replays <= 1_000_000
    assert found.reason
    assert found.code
    assert found.public_message
    shown = body_of(body)
    assert (shown.base64 is None) == (shown.json_ is not None)
    shown.model_dump_json()


@given(
    st.recursive(st.none() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_any_json_can_be_shown(content: Any) -> None:
    body_of(json.dumps(content).encode()).model_dump_json()


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({names.REASON: "permanent-error"}, "permanent-error"),
        ({names.REASON: "retry"}, "unknown"),
        ({names.REASON: "dependency-away"}, "unknown"),
        ({}, "unknown"),
        ({"x-death": [{"reason": "delivery_limit"}, {"reason": "expired"}]}, "delivery-limit"),
        ({"x-death": [{"reason": "delivery_limit"}], names.REASON: "permanent-error"}, "delivery-limit"),
        ({"x-death": [{"reason": "rejected"}]}, "rejected"),
        ({"x-death": [{"reason": "something new"}]}, "unknown"),
    ],
)
def test_who_buried_it_says_why(headers: dict[str, Any], reason: str) -> None:
    assert dead_letter_of(message(headers)).reason == reason
