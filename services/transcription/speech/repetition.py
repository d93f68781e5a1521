"""Repetition loops: a recogniser that lost its way writes one phrase over and over (SPE-4)."""

from dataclasses import dataclass

LONGEST_PHRASE_WORDS = 12


@dataclass(frozen=True)
class Loop:
    """A phrase of `phrase_length` words repeated `times` times in a row from the word at `start` (an index)."""

    start: int
    phrase_length: int
    times: int

    @property
    def end(self) -> int:
        """Index after the last word of the loop."""
        return self.start + self.phrase_length * self.times


def plain(word: str) -> str:
    """The word as it is compared: lower case, letters and digits alone (itself where it has none)."""
    return "".join(letter for letter in word.casefold() if letter.isalnum()) or word


def find_loops(words: list[str]) -> list[Loop]:
    """The loops in `words`, in order, none overlapping. What people do say ("no, no, no") is no loop."""
    plain_words = [plain(word) for word in words]
    loops: list[Loop] = []
    position = 0
    while position < len(plain_words):
        loop = _loop_at(plain_words, position)
        if loop:
            loops.append(loop)
            position = loop.end
        else:
            position += 1
    return loops


def without_loops(words: list[str]) -> list[int]:
    """Indices of the words that remain when each loop is said once."""
    dropped = {index for loop in find_loops(words) for index in range(loop.start + loop.phrase_length, loop.end)}
    return [index for index in range(len(words)) if index not in dropped]


def _loop_at(words: list[str], start: int) -> Loop | None:
    """The loop that begins at `start`, of the shortest phrase that makes one."""
    for length in range(1, LONGEST_PHRASE_WORDS + 1):
        phrase = words[start : start + length]
        times = 1
        while words[start + times * length : start + (times + 1) * length] == phrase:
            times += 1
        if times >= _times_of_a_loop(length):
            return Loop(start, length, times)
    return None


def _times_of_a_loop(phrase_length: int) -> int:
    """How often a phrase must come in a row to be a loop: counting aloud and stressing repeat short ones."""
    if phrase_length == 1:
        return 7
    return 5 if phrase_length < 4 else 4
