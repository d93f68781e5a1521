"""What a caller would rather have: the weights of `Accept` and `Accept-Encoding` (RFC 9110, 12.4.2)."""

import re

_WEIGHT = re.compile(r"^q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$", re.IGNORECASE)


def weights(header: str) -> dict[str, float]:
    """Each name in `header`, in lower case, with its weight from 0 to 1; without one, or with a wrong one, 1."""
    found: dict[str, float] = {}
    for entry in header.split(","):
        name, *parameters = (part.strip() for part in entry.split(";"))
        if name:
            weight = next((match[1] for parameter in parameters if (match := _WEIGHT.match(parameter))), "1")
            found[name.lower()] = float(weight)
    return found


def accepts_gzip(header: str) -> bool:
    """Whether an `Accept-Encoding` asks for gzip, and does not rather have the content as it is."""
    wanted = weights(header)
    gzip = wanted.get("gzip", wanted.get("x-gzip", wanted.get("*", 0.0)))
    return gzip > 0 and gzip >= wanted.get("identity", 0.0)


def prefers_html(header: str) -> bool:
    """Whether an `Accept` is a browser's that shows a page: it names HTML, and nothing that programs read before it.

    `*/*`, which programs send as well, names nothing.
    """
    wanted = weights(header)
    data = max(wanted.get(name, 0.0) for name in ("application/problem+json", "application/json", "application/*"))
    html = wanted.get("text/html", wanted.get("text/*", 0.0))
    return html > 0 and html >= data
