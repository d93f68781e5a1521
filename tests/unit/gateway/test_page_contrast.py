"""Text on the page can be read in both colour schemes: WCAG 2.2 asks for a contrast of 4.5 to 1 (GAT-9)."""

import re
from pathlib import Path

import pytest

import services.gateway.web as web

CSS = (Path(web.__file__).parent / "static" / "page.css").read_text()
SCHEMES = [
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", block)) for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
]
# Every colour of text on every ground on which some rule of the page puts it.
PAIRS = [
    *((text, ground) for text in ("ink", "soft", "accent", "bad") for ground in ("paper", "card", "line")),
    *(("accent", "accent-soft"), ("bad", "bad-soft"), ("warn", "warn-soft"), ("soft", "accent-soft")),
    *(("accent-ink", "accent"), ("paper", "ink")),
]


def luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour, 0 to 1, as WCAG defines it."""
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_is_right() -> None:
    assert contrast("#fff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("pair", PAIRS, ids="-on-".join)
@pytest.mark.parametrize("scheme", SCHEMES, ids=["light", "dark"])
def test_text_has_enough_contrast(scheme: dict[str, str], pair: tuple[str, str]) -> None:
    text, ground = pair
    assert contrast(scheme[text], scheme[ground]) >= 4.5
