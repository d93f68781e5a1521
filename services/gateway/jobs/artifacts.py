"""Sends a stored file: whole or a range of it, revalidated by its hash (RFC 9110)."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import PurePosixPath
from urllib.parse import quote

from fastapi import Request
from starlette.responses import Response, StreamingResponse

from services.gateway.headers import PDF_POLICY, SANDBOX_POLICY
from services.gateway.problems import ProblemError
from shared.names import sanitise_name
from shared.storage import ObjectRef, ObjectStore

_RANGE = re.compile(r"^bytes=([0-9]*)-([0-9]*)$", re.IGNORECASE)
_BEYOND = 1 << 63  # no object is so large
# What a browser may show rather than save. Pictures and pages of a source are made anew by rendering; anything else
# is only ever saved.
_INLINE = frozenset({"application/pdf", "text/html", "image/png", "image/jpeg", "text/vtt"})
_POLICIES = {"text/html": SANDBOX_POLICY, "application/pdf": PDF_POLICY}


class UnsatisfiableRangeError(Exception):
    """The range asked for lies outside of the object."""


@dataclass(frozen=True)
class Span:
    """Bytes `start` up to but not including `end`."""

    start: int
    end: int


def _position(digits: str) -> int:
    significant = digits.lstrip("0")
    return int(significant or "0") if len(significant) < 19 else _BEYOND


def parse_range(header: str | None, size: int) -> Span | None:
    """The span that a Range header asks for; None for the whole, which is also the answer to what is not understood.

    Several ranges at once are answered with the whole, as RFC 9110 allows. Raises UnsatisfiableRangeError.
    """
    match = _RANGE.match(header.strip()) if header else None
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:  # the last so many bytes
        if _position(last) == 0 or size == 0:
            raise UnsatisfiableRangeError
        return Span(max(0, size - _position(last)), size)
    start = _position(first)
    if last and _position(last) < start:
        return None
    if start >= size:
        raise UnsatisfiableRangeError
    return Span(start, min(_position(last) + 1, size) if last else size)


def download_name(source: str, artifact: str) -> str:
    """What the file is called on the user's machine: `week-3 handout.pdf`, `week-3 slides-001.png`."""
    return sanitise_name(f"{PurePosixPath(source).stem[:120]} {artifact.replace('/', '-')}")


def content_disposition(name: str, *, inline: bool) -> str:
    """The header by RFC 6266: a plain name for old clients, the right one for all others."""
    plain = re.sub(r"[^A-Za-z0-9 ._-]", "_", name)
    return f"{'inline' if inline else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _matches(header: str | None, etag: str) -> bool:
    return header is not None and any(tag.strip().removeprefix("W/") in (etag, "*") for tag in header.split(","))


def _headers(stored: ObjectRef, name: str, *, inline: bool) -> dict[str, str]:
    headers = {
        "ETag": f'"{stored.sha256}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": content_disposition(name, inline=inline),
    }
    policy = _POLICIES.get(stored.media_type.partition(";")[0]) if inline else None
    if policy is not None:
        headers["Content-Security-Policy"] = policy
    return headers


async def send_artifact(
    request: Request, store: ObjectStore, stored: ObjectRef, name: str, *, inline: bool
) -> Response:
    """The answer to a GET of `stored`, called `name`.

    Raises ObjectNotFoundError, StorageError and, for a range outside of it, ProblemError before anything is sent.
    """
    inline = inline and stored.media_type.partition(";")[0] in _INLINE
    headers = _headers(stored, name, inline=inline)
    etag = headers["ETag"]
    if _matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    condition = request.headers.get("if-range")
    asked = request.headers.get("range") if condition is None or condition.strip() == etag else None
    try:
        span = parse_range(asked, stored.size)
    except UnsatisfiableRangeError:
        detail = f"This file has {stored.size} bytes: the range that was asked for lies outside of it."
        outside = {"Content-Range": f"bytes */{stored.size}", "Accept-Ranges": "bytes"}
        raise ProblemError(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "range-not-satisfiable", detail, headers=outside
        ) from None
    whole = Span(0, stored.size)
    sent = span or whole
    headers["Content-Length"] = str(sent.end - sent.start)
    if span is not None:
        headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{stored.size}"
    status = 200 if span is None else 206
    media_type = stored.media_type
    if media_type.startswith("text/") and "charset" not in media_type:
        media_type += "; charset=utf-8"
    headers["Content-Type"] = media_type
    body = await _begun(store.stream(stored.key, sent.start, sent.end))
    return StreamingResponse(body, status, headers=headers)


async def _begun(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same chunks, the first of them at hand: a file that is gone is an error answer, not a broken download."""
    first = await anext(chunks, b"")

    async def all_chunks() -> AsyncIterator[bytes]:
        yield first
        async for chunk in chunks:
            yield chunk

    return all_chunks()
