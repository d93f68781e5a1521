"""Where a trace can be seen: a page of somebody else's program, by an address that the settings give (OPS-3)."""

import re

# A web address with a host, and `{trace_id}` after it. What could end an attribute or a header is no part of one.
_PATTERN = re.compile(r"https?://[^\s/?#\"'<>\\{}]+[/?#][^\s\"'<>\\{}]*\{trace_id\}[^\s\"'<>\\{}]*")


def checked_template(value: str | None) -> str | None:
    """`value`, the address of a trace with `{trace_id}` in it. Raises ValueError."""
    if value is not None and not _PATTERN.fullmatch(value):
        raise ValueError("must be a web address with {trace_id} in it, like http://localhost:16686/trace/{trace_id}")
    return value


def link_to_trace(template: str | None, trace_id: str | None) -> str | None:
    """The address of a trace; None where there is no trace, or nobody said where traces can be seen."""
    return template.replace("{trace_id}", trace_id) if template and trace_id else None
