"""Moves words between neighbouring captions where one would flash by, stand alone or be too fast to read."""

from collections.abc import Callable, Iterator
from itertools import pairwise

from shared.documents import Word

Words = list[Word]

SHORTEST_S = 0.8
MOST_CHARACTERS_PER_S = 25.0
NEAR_S = 0.3
PASSES = 4  # a word that moves on may have to move once more


class CueRepair:
    """Repairs groups of words that become one caption each.

    `fits` says whether words can be one caption, `cost` how bad a cut before the word of that index reads, `gap_s` is
    what two captions stand apart, `pause_s` the silence over which no word moves.
    """

    def __init__(
        self, fits: Callable[[Words], bool], cost: Callable[[Words, int], float], *, gap_s: float, pause_s: float
    ) -> None:
        self._fits = fits
        self._cost = cost
        self._gap_s = gap_s
        self._pause_s = pause_s

    def __call__(self, groups: list[Words]) -> list[Words]:
        """The same words in the same order, in groups that are no worse and often better."""
        for _ in range(PASSES):
            repaired = self._pass(groups)
            if repaired == groups:
                break
            groups = repaired
        return groups

    def _pass(self, groups: list[Words]) -> list[Words]:
        done: list[Words] = []
        for index, group in enumerate(groups):
            following = groups[index + 1] if index + 1 < len(groups) else None
            if not done:
                done.append(group)
                continue
            before = done[-2] if len(done) > 1 else None
            done[-1:] = self._pair(before, [done[-1], group], following)
        return done

    def _pair(self, before: Words | None, pair: list[Words], following: Words | None) -> list[Words]:
        """The two groups as they are, as one, or cut elsewhere, whichever is best."""
        present = self._badness(before, pair, following)
        if present == 0 or pair[1][0].start_s - pair[0][-1].end_s > self._pause_s:
            return pair
        best, best_rank = pair, (present, -1.0)  # of equals, what there is
        for groups, cost in self._ways(pair[0] + pair[1]):
            rank = (self._badness(before, groups, following), cost)
            if rank[0] < present and rank < best_rank:
                best, best_rank = groups, rank
        return best

    def _ways(self, words: Words) -> Iterator[tuple[list[Words], float]]:
        if self._fits(words):
            yield [words], 0.0
        for cut in range(1, len(words)):
            if self._fits(words[:cut]) and self._fits(words[cut:]):
                yield [words[:cut], words[cut:]], self._cost(words, cut)

    def _badness(self, before: Words | None, groups: list[Words], following: Words | None) -> float:
        """0 for groups that can be read in the time they have."""
        starts = [before, *groups[:-1]]
        ends = [*groups[1:], following]
        return round(sum(map(self._of, starts, groups, ends)), 6)

    def _of(self, before: Words | None, group: Words, following: Words | None) -> float:
        room_s = following[0].start_s - self._gap_s - group[0].start_s if following else float("inf")
        rate = sum(len(word.text) + 1 for word in group) / max(room_s, 0.01)
        bad = max(0.0, rate - MOST_CHARACTERS_PER_S)
        if room_s < SHORTEST_S:
            bad += 10 + 10 * (SHORTEST_S - room_s)
        return bad + (1000 if len(group) == 1 and self._is_near(before, group, following) else 0)

    @staticmethod
    def _is_near(before: Words | None, group: Words, following: Words | None) -> bool:
        row = [part for part in (before, group, following) if part]
        return any(second[0].start_s - _shown_until_s(first) <= NEAR_S for first, second in pairwise(row))


def _shown_until_s(group: Words) -> float:
    return max(group[-1].end_s, group[0].start_s + SHORTEST_S)
