"""Gateways that start at the same moment are numbered, whatever the database answers to those that make the counter."""

from typing import Any

import pytest
from pymongo.errors import DuplicateKeyError

from services.gateway.auth.bootstrap import _next_start


class Counters:
    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)

    def __getitem__(self, _name: str) -> "Counters":
        return self

    async def find_one_and_update(self, *_: Any, **__: Any) -> Any:
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize("first", [None, DuplicateKeyError("two at once")])
async def test_two_gateways_that_make_the_counter_at_once_both_start(first: Any) -> None:
    counters: Any = Counters(first, {"starts": 2})
    assert await _next_start(counters) == 2
