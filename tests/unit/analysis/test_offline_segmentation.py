"""A source of thousands of sentences is cut with few tries, into the same parts as by trying every penalty."""

import numpy as np
import pytest

from services.analysis.offline.segmentation import _PENALTIES, _best, _few_enough


def by_every_penalty(tries: list[list[int]], target: int) -> list[int]:
    """What is chosen of the cuts at each penalty, least first."""
    before: list[int] | None = None
    for result in tries:
        if len(result) <= target:
            return before if before and len(before) - target < target - len(result) else result
        before = result
    return before or [0]


@pytest.mark.parametrize("target", [1, 2, 3, 5, 9, 14, 30])
@pytest.mark.parametrize("seed", range(4))
def test_few_penalties_are_tried_and_the_choice_is_that_of_all(target: int, seed: int) -> None:
    drawn = np.random.default_rng(seed)
    costs = np.cumsum(drawn.random((121, 41)), axis=1)  # longer segments cost more
    bonus = drawn.choice([0.0, 0.4, 0.8, 2.5], 120)
    tried: list[float] = []

    def segmented(penalty: float) -> list[int]:
        tried.append(penalty)
        return _best(costs, penalty - bonus, 5)

    found = _few_enough(segmented, target)
    assert len(tried) <= 8
    assert found == by_every_penalty([segmented(float(penalty)) for penalty in _PENALTIES], target)
