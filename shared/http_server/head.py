"""What h11 lets through of a request's head and Lectern does not: whatever two readers could understand differently.

A proxy that ends a request elsewhere than we do can be made to hand us a second one that it never saw ("request
smuggling"). A client that is well meant sends none of this.
"""

import re
from http import HTTPStatus

import h11

MAX_HEAD_BYTES = 16 << 10
MAX_HEADERS = 100
# Small pieces cost as much work as large ones: a body of thousands of tiny chunks is an attack on our time.
_FREE_PIECES = 256
_LEAST_AVERAGE_BYTES = 32
_END = re.compile(rb"\n\r?\n")
_TARGET = re.compile(rb"^[A-Z]+ (/[^ ]*|\*) HTTP/1\.[01]$")


class HeadFault(h11.RemoteProtocolError):
    """A request that is not read any further; `error_status_hint` is the answer's status."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text, error_status_hint=status)


def check_head(received: bytes) -> None:
    """Raise HeadFault for what `received`, from the beginning of a request on, shows to be wrong with its head."""
    end = _END.search(received, 0, MAX_HEAD_BYTES)
    if end is None:
        if len(received) >= MAX_HEAD_BYTES:
            raise HeadFault(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers of this request are too large.")
        return
    head = received[: end.start() + 1]
    if head.count(b"\n") > MAX_HEADERS + 1:
        raise HeadFault(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "This request has too many headers.")
    if b"\n" in head.replace(b"\r\n", b"") or b"\r" in head.replace(b"\r\n", b""):
        raise _malformed("A line of this request's head does not end with CR and LF.")
    request_line, *lines = head.split(b"\r\n")[:-1]
    if not _TARGET.match(request_line):
        raise _malformed("The first line of this request is not a method, a path and a version.")
    _check_fields(request_line, lines)


def _check_fields(request_line: bytes, lines: list[bytes]) -> None:
    if any(line[:1] in (b" ", b"\t") for line in lines):
        raise _malformed("A header of this request goes on in a second line.")
    fields = [(name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    lengths = [value for name, value in fields if name == b"content-length"]
    codings = [value.lower() for name, value in fields if name == b"transfer-encoding"]
    if len(lengths) + len(codings) > 1:
        raise _malformed("This request says more than once how long its body is.")
    if codings not in ([], [b"chunked"]) or (codings and request_line.endswith(b"1.0")):
        raise _malformed("The Transfer-Encoding of this request is not known here.")
    if lengths and not (lengths[0].isdigit() and len(lengths[0]) < 20):
        raise _malformed("The Content-Length of this request is not a number.")


def _malformed(text: str) -> HeadFault:
    return HeadFault(HTTPStatus.BAD_REQUEST, text)


class StrictConnection(h11.Connection):
    """h11's connection that checks a head before h11 reads it, wherever in the stream it begins."""

    def __init__(self) -> None:
        super().__init__(h11.SERVER, MAX_HEAD_BYTES)
        self.fault: HeadFault | None = None
        self._pieces = self._piece_bytes = 0

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """The next event. Raises RemoteProtocolError, with HeadFault also in `fault`, for what is refused."""
        try:
            if self.their_state is h11.IDLE:
                check_head(self.trailing_data[0][:MAX_HEAD_BYTES])
                self._pieces = self._piece_bytes = 0
            event = super().next_event()
            self._count(event)
        except HeadFault as fault:
            self.fault = fault
            raise
        return event

    def _count(self, event: object) -> None:
        if isinstance(event, h11.Data):
            self._pieces += 1
            self._piece_bytes += len(event.data)
            if self._pieces > _FREE_PIECES and self._piece_bytes < self._pieces * _LEAST_AVERAGE_BYTES:
                raise _malformed("The body of this request comes in chunks that are too small.")
