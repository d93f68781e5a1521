"""Reads `multipart/form-data` as it arrives: nothing is kept but the piece at hand, whatever the size (SRC-1)."""

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

PIECE = 1 << 20
_HEADERS_BYTES = 64 << 10  # file names of some thousand characters are refused by nobody before us
_HEADERS = 16
MAX_PARTS = 32


class MalformedUploadError(Exception):
    """The body is not what its content type says. The argument says what is wrong."""


@dataclass(frozen=True)
class _Begin:
    headers: dict[str, str]


class _End:
    """The end of a part."""


class Part:
    """One field of the form. Read it before the next one is asked for. `filename` is None for plain values."""

    def __init__(self, reader: "MultipartReader", name: str, filename: str | None) -> None:
        self._reader = reader
        self.name = name
        self.filename = filename

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes, in pieces of about 1 MiB."""
        buffer = bytearray()
        while isinstance(token := await self._reader.token(), bytes):
            buffer += token
            if len(buffer) >= PIECE:
                yield bytes(buffer)
                buffer.clear()
        if buffer:
            yield bytes(buffer)

    async def text(self, limit: int) -> str:
        """A plain value. Raises MalformedUploadError when it is longer than `limit` bytes or not UTF-8."""
        value = bytearray()
        async for chunk in self.chunks():
            value += chunk
            if len(value) > limit:
                raise MalformedUploadError(f"The field {self.name[:50]!r} is too long.")
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise MalformedUploadError(f"The field {self.name[:50]!r} is not UTF-8.") from None


class MultipartReader:
    """The parts of one request's body. Raises MalformedUploadError for one that is broken or ends early."""

    def __init__(self, content_type: str, body: AsyncIterator[bytes]) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise MalformedUploadError("The content type must be multipart/form-data with a boundary.")
        self._body = body
        self._tokens: deque[_Begin | bytes | _End] = deque()
        self._finished = False
        self._headers: dict[str, str] = {}
        self._name = self._value = b""
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_part_data,
                    "on_part_end": self._on_part_end,
                    "on_end": self._on_end,
                },
                max_header_count=_HEADERS,
                max_header_size=_HEADERS_BYTES,
            )
        except FormParserError:
            raise MalformedUploadError("The boundary in the content type is not valid.") from None

    def _on_part_begin(self) -> None:
        self._headers = {}

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._name = self._value = b""

    def _on_headers_finished(self) -> None:
        self._tokens.append(_Begin(self._headers))

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._tokens.append(data[start:end])

    def _on_part_end(self) -> None:
        self._tokens.append(_End())

    def _on_end(self) -> None:
        self._finished = True

    async def token(self) -> _Begin | bytes | _End | None:
        """The next thing in the body; None at its end."""
        while not self._tokens:
            chunk = await anext(self._body, None)
            if chunk is None:
                if not self._finished:
                    raise MalformedUploadError("The upload ended before its last boundary.")
                return None
            try:
                self._parser.write(chunk)
            except FormParserError:
                raise MalformedUploadError("The body is not valid multipart/form-data.") from None
        return self._tokens.popleft()

    async def parts(self) -> AsyncIterator[Part]:
        """Each part in turn; what was left unread of one is skipped."""
        count = 0
        while (token := await self.token()) is not None:
            if not isinstance(token, _Begin):
                continue
            count += 1
            if count > MAX_PARTS:
                raise MalformedUploadError(f"The form has more than {MAX_PARTS} fields.")
            yield self._part(token)

    def _part(self, token: _Begin) -> Part:
        kind, options = parse_options_header(token.headers.get("content-disposition", ""))
        name, filename = options.get(b"name"), options.get(b"filename")
        if kind != b"form-data" or name is None:
            raise MalformedUploadError("A part of the form has no name.")
        return Part(self, _text(name), None if filename is None else _text(filename))


def _text(value: bytes) -> str:
    # The headers went through latin-1, which keeps every byte; browsers and clients write names in UTF-8.
    return value.decode(errors="replace")
