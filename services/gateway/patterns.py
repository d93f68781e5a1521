"""Patterns that texts in requests have to match, and what is told of a text that does not: no regular expression."""

from collections.abc import Mapping
from typing import Any

KEY_ID = r"^[0-9a-f]{12}$"
KEY_NAME = r"^[^\x00-\x1f\x7f-\x9f]+$"
LETTER_ID = r"^[0-9a-f]{24}-[0-9]{1,7}$"
OWNER = r"^[A-Za-z0-9][A-Za-z0-9._@+-]*$"

_WORDS = {
    KEY_ID: "The id of an API key is 12 characters of 0-9 and a-f.",
    KEY_NAME: "Write it on one line, without control characters.",
    LETTER_ID: "The id of a dead letter is 24 characters of 0-9 and a-f, a hyphen and a number.",
    OWNER: "Write letters, digits and . _ @ + - without blanks, beginning with a letter or a digit.",
}


def fault_message(fault: Mapping[str, Any]) -> str:
    """What is told of a `fault` that pydantic found in a request."""
    pattern = fault.get("ctx", {}).get("pattern") if fault["type"] == "string_pattern_mismatch" else None
    return str(fault["msg"]) if pattern is None else _WORDS.get(pattern, "This is not written as it has to be.")
