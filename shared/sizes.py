"""Sizes as people read them, on the page and in the terminal."""


def size_text(size: int | None) -> str:
    """A size for people: `3.4 MB`; nothing for a size that is not known."""
    if size is None:
        return ""
    value = float(size)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
