"""Ranges, names and headers of downloads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.jobs.artifacts import (
    Span,
    UnsatisfiableRangeError,
    content_disposition,
    download_name,
    parse_range,
)
from services.gateway.jobs.routes import decode_cursor, encode_cursor
from services.gateway.problems import ProblemError


@pytest.mark.parametrize(
    ("header", "span"),
    [
        (None, None),
        ("bytes=0-", Span(0, 100)),
        ("bytes=0-0", Span(0, 1)),
        ("bytes=10-19", Span(10, 20)),
        ("bytes=90-1000", Span(90, 100)),
        ("bytes=-5", Span(95, 100)),
        ("bytes=-500", Span(0, 100)),
        ("bytes=5-2", None),
        ("bytes=0-1,5-6", None),
        ("bytes=-", None),
        ("pages=1-2", None),
        ("bytes=a-b", None),
    ],
)
def test_ranges(header: str | None, span: Span | None) -> None:
    assert parse_range(header, 100) == span


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=200-300", "bytes=-0"])
def test_ranges_outside(header: str) -> None:
    with pytest.raises(UnsatisfiableRangeError):
        parse_range(header, 100)


def test_the_name_of_a_download_says_what_it_is_of() -> None:
    assert download_name("Week 3.mp4", "slides/001.png") == "Week 3 slides-001.png"


@given(st.text(max_size=80))
def test_a_file_name_cannot_break_out_of_its_header(source: str) -> None:
    value = content_disposition(download_name(source, "handout.pdf"), inline=False)
    assert value.isascii()
    assert value.isprintable()
    assert value.count('"') == 2
    assert value.startswith("attachment; filename=")


@given(st.text(max_size=60))
def test_foreign_cursors_are_refused(text: str) -> None:
    with pytest.raises(ProblemError):
        decode_cursor(text)


def test_a_cursor_comes_back() -> None:
    order = "001772000000000-job-00000001"
    assert decode_cursor(encode_cursor(order)) == order
