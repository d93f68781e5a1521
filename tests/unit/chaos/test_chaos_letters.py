"""Dead letters and queues: what nobody can explain is found."""

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.messaging.headers import HISTORY, REASON
from tests.chaos.cases import Case, Wish
from tests.chaos.content import Content
from tests.chaos.hostile import Hostile
from tests.chaos.queues import LIVE_QUEUES, DeadLetter, leftover_findings, letter_findings, unanswered
from tests.chaos.tap import TAP_QUEUE, Letter

GOOD = {REASON: "permanent-error", HISTORY: json.dumps([{"attempt": 1}])}
QUEUE = "analysis.documents"
POISONED = {"job-00001": Case(Wish(1, 0, Content(name="p", poisoned="guide"), "key"))}
PLAIN = {"job-00001": Case(Wish(1, 0, Content(name="p"), "key"))}
SENT = Hostile(Letter("", QUEUE, b"{", {}, message_id="hostile-1"), "broken", (QUEUE,))


def letter(headers: dict[str, Any] = GOOD, identity: str = "m") -> DeadLetter:
    return DeadLetter(QUEUE, identity, "job-00001", headers, b"{}")


def test_the_letter_of_a_poisoned_job_is_in_order() -> None:
    assert letter_findings([letter()], [], set(), POISONED) == []


def test_the_letter_of_a_plain_job_is_not() -> None:
    assert len(letter_findings([letter()], [], set(), PLAIN)) == 1
    assert len(letter_findings([letter()], [], set(), {})) == 1


def test_the_letter_of_a_poisoned_job_whose_owner_had_no_answer_is_in_order() -> None:
    case = POISONED["job-00001"]
    jobs: dict[str, dict[str, Any]] = {"job-00001": {"source": {"name": "p"}}}
    assert unanswered(jobs, [case]) == POISONED
    assert unanswered(jobs, [replace(case, job_id="job-00001")]) == {}
    assert unanswered({"job-00001": {"source": {"name": "q"}}}, [case]) == {}


@pytest.mark.parametrize("headers", [{}, {**GOOD, REASON: "retry"}, {**GOOD, HISTORY: "[]"}, {**GOOD, HISTORY: "x"}])
def test_a_letter_says_why_and_what_was_tried(headers: dict[str, Any]) -> None:
    assert len(letter_findings([letter(headers)], [], set(), POISONED)) == 1


def test_a_hostile_message_must_be_among_the_dead() -> None:
    assert len(letter_findings([], [SENT], set(), {})) == 1
    assert letter_findings([letter(identity="hostile-1")], [SENT], set(), PLAIN) == []
    assert letter_findings([letter(identity="hostile-1")], [], {"hostile-1"}, PLAIN) == []


def test_queues_must_be_there_and_empty() -> None:
    empty = dict.fromkeys(LIVE_QUEUES, (0, 0))
    assert leftover_findings({**empty, f"{QUEUE}.dlq": (3, 0), TAP_QUEUE: (1, 1)}) == []
    assert len(leftover_findings({**empty, QUEUE: (1, 0)})) == 1
    assert len(leftover_findings({**empty, "gateway.burials": (0, 1)})) == 1
    assert len(leftover_findings({})) == len(LIVE_QUEUES)
