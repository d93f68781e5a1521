"""Digits that stand raised and small after others: exponents, and marks of footnotes."""

import re

NUMBER = re.compile(r"[-+−]?\d{1,3}")
RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
# What stands raised is told by what it follows.
MAY_BE_RAISED = re.compile(r"(?<=[^\W_]|[)\]}.,;:!?\"”’])[-+−]?\d+")
_MOST_SIZE = 0.85  # of what they follow
_LEAST_RISE_EM = 0.15
_TABLE = str.maketrans("0123456789+-−", f"{RAISED}⁺⁻⁻")


def is_raised(size: float, rise: float, size_before: float) -> bool:
    """Whether a sign is an exponent, by its size and how much higher its baseline is than that of the sign before."""
    return size <= _MOST_SIZE * size_before and rise >= _LEAST_RISE_EM * size_before > 0


def raised(number: str) -> str:
    """A digit, or a number with its sign, in the characters that are shown raised."""
    return number.translate(_TABLE)
