"""Word error rate of a transcript against the text that was read, after both are written in the same way.

Case, punctuation and how numbers are written ("57 %", "fifty-seven percent") make no error; every other difference
does.
"""

import re
from collections.abc import Sequence

_UNITS = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_NUMBERS = {word: value for value, word in enumerate(_UNITS)} | {
    word: 10 * value for value, word in enumerate(_TENS, start=2)
}


def normalised(text: str) -> list[str]:
    """The words of `text` in lower case, without punctuation, hyphens as spaces, small numbers as digits."""
    text = text.lower().replace("’", "'").replace("%", " percent ")
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    words = re.findall(r"[a-z0-9]+(?:'[a-z]+)?|\d+", text)
    result: list[str] = []
    previous = ""
    for word in words:
        value = _NUMBERS.get(word)
        if value is not None and value < 10 and previous in _TENS:
            result[-1] = str(int(result[-1]) + value)
        else:
            result.append(word if value is None else str(value))
        previous = word
    return result


def edit_distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Fewest insertions, deletions and substitutions that make one of the other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for count, item in enumerate(one, start=1):
        diagonal, row[0] = row[0], count
        for column, candidate in enumerate(other, start=1):
            diagonal, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, diagonal + (item != candidate)),
            )
    return row[-1]


def word_error_rate(heard: str, read: str) -> float:
    """Errors in `heard` per word of `read`, 0 for a perfect transcript. Raises ValueError when nothing was read."""
    reference = normalised(read)
    if not reference:
        raise ValueError("no words to compare with")
    return edit_distance(normalised(heard), reference) / len(reference)
