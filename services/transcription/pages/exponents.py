"""Digits that stand raised and small after others: exponents, and marks of footnotes."""

import re

NUMBER = re.compile(r"[-+−]?\d{1,3}")
RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
# What stands raised is told by what it follows.
MAY_BE_RAISED = re.compile(r"(?<=[^\W_]|[)\]}.,;:!?\"”’])[-+−]?\d+")
_MOST_SIZE = 0.85  # of what they follow
_LEAST_RISE_EM = 0.15
_TABLE = str.maketrans("0123456789+-−", f"{RAISED}⁺⁻⁻")


def is_raised(size: float, rise: float) -> bool:
    """Whether a sign is an exponent, by its size and the height of its baseline, both as shares of the size before."""
    return size <= _MOST_SIZE and rise >= _LEAST_RISE_EM


def raised(number: str) -> str:
    """A digit, or a number with its sign, in the characters that are shown raised."""
    return number.translate(_TABLE)
