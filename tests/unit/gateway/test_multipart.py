"""The streaming form reader."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.jobs.multipart import PIECE, MalformedUploadError, MultipartReader

BOUNDARY = "----b0undary"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def form(parts: list[tuple[str, str | None, bytes]]) -> bytes:
    body = b""
    for name, filename, content in parts:
        extra = f'; filename="{filename}"' if filename is not None else ""
        body += (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode() + content + b"\r\n"
        )
    return body + f"--{BOUNDARY}--\r\n".encode()


async def pieces(body: bytes, cuts: list[int]) -> AsyncIterator[bytes]:
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    for start, end in itertools.pairwise(edges):
        yield body[start:end]


async def read(body: bytes, cuts: list[int], content_type: str = TYPE) -> list[tuple[str, str | None, bytes]]:
    reader = MultipartReader(content_type, pieces(body, cuts))
    return [
        (part.name, part.filename, b"".join([chunk async for chunk in part.chunks()])) async for part in reader.parts()
    ]


near_boundary = st.sampled_from([b"\r\n", b"--", b"\r\n--", BOUNDARY.encode()[:-1], b"\r\n--" + BOUNDARY.encode()[:-1]])
content = st.lists(st.one_of(st.binary(max_size=40), near_boundary), max_size=6).map(b"".join)


@settings(max_examples=200)
@given(
    parts=st.lists(
        st.tuples(st.sampled_from(["file", "paper"]), st.sampled_from([None, "a.mp4", "für.pdf"]), content), max_size=5
    ),
    cuts=st.lists(st.integers(0, 5000), max_size=10),
)
def test_however_it_is_cut_the_form_is_the_same(parts: list[tuple[str, str | None, bytes]], cuts: list[int]) -> None:
    assert asyncio.run(read(form(parts), cuts)) == parts


@settings(max_examples=100)
@given(body=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300), max_size=4))
def test_garbage_is_refused_and_nothing_else(body: bytes, cuts: list[int]) -> None:
    with pytest.raises(MalformedUploadError):
        asyncio.run(read(b"x" + body, cuts))


def test_an_upload_that_ends_early_is_refused() -> None:
    whole = form([("file", "a.mp4", b"x" * 1000)])
    for end in (10, 500, len(whole) - 5):
        with pytest.raises(MalformedUploadError):
            asyncio.run(read(whole[:end], []))


@pytest.mark.parametrize("kind", ["", "application/json", "multipart/form-data", "multipart/mixed; boundary=x"])
def test_other_content_types_are_refused(kind: str) -> None:
    with pytest.raises(MalformedUploadError):
        asyncio.run(read(b"", [], kind))


def test_a_flood_of_fields_is_refused() -> None:
    with pytest.raises(MalformedUploadError, match="more than"):
        asyncio.run(read(form([("paper", None, b"a4")] * 40), []))


async def test_pieces_stay_small() -> None:
    body = form([("file", "a.mp4", b"x" * 5 * PIECE)])
    reader = MultipartReader(TYPE, pieces(body, list(range(0, len(body), 65536))))
    async for part in reader.parts():
        sizes = [len(chunk) async for chunk in part.chunks()]
    assert sum(sizes) == 5 * PIECE
    assert max(sizes) <= PIECE + 65536


async def test_a_long_value_is_refused() -> None:
    reader = MultipartReader(TYPE, pieces(form([("paper", None, b"x" * 500)]), []))
    async for part in reader.parts():
        with pytest.raises(MalformedUploadError):
            await part.text(200)
