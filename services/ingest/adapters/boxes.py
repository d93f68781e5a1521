"""The few boxes of an MP4 or MOV file that say, before ffmpeg opens it, whether its content is there and usable.

ISO/IEC 14496-12: a box is a 32-bit size, a four-character type, and with size 1 a 64-bit size; size 0 means to the
end of the file. Only headers are read, and at most `MAX_BOXES` of them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

MAX_BOXES = 20_000
_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl"}
_PROTECTED_ENTRIES = {b"drms", b"drmi", b"drmt", b"enca", b"encv", b"enct", b"encs"}
_TOP_LEVEL = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp", b"moof", b"sidx", b"uuid"}
_SELF_CONTAINED = 1


class BoxFacts(NamedTuple):
    """What the boxes say: is the index there, is content encrypted, is it in other files."""

    has_index: bool
    protected: bool
    external: bool


class _Box(NamedTuple):
    kind: bytes
    body: int
    end: int


def read_boxes(path: Path) -> BoxFacts | None:
    """Facts about an MP4 or MOV file, or None if `path` does not begin as one."""
    size = path.stat().st_size
    with path.open("rb") as file:
        walk = list(_walk(file, 0, size))
        if not walk or walk[0].kind not in _TOP_LEVEL:
            return None
        return BoxFacts(
            has_index=any(box.kind in {b"moov", b"moof"} for box in walk),
            protected=any(box.kind == b"stsd" and _entry_kinds(file, box) & _PROTECTED_ENTRIES for box in walk),
            external=any(box.kind == b"dref" and _points_elsewhere(file, box) for box in walk),
        )


def _walk(file: BinaryIO, start: int, end: int) -> Iterator[_Box]:
    """Boxes from `start`, containers before what they hold, without recursion."""
    spans = [(start, end)]
    for _ in range(MAX_BOXES):
        if not spans:
            return
        position, stop = spans.pop()
        box = _read_box(file, position, stop)
        if box is None:
            continue
        yield box
        if box.end < stop:
            spans.append((box.end, stop))
        if box.kind in _CONTAINERS:
            spans.append((box.body, min(box.end, stop)))


def _read_box(file: BinaryIO, position: int, stop: int) -> _Box | None:
    if position + 8 > stop:
        return None
    file.seek(position)
    header = file.read(16)
    size, kind, body = int.from_bytes(header[:4], "big"), header[4:8], position + 8
    if size == 1 and len(header) == 16:
        size, body = int.from_bytes(header[8:16], "big"), position + 16
    if size == 0:
        return _Box(kind, body, stop)
    return _Box(kind, body, position + size) if position + size >= body else None


def _entry_kinds(file: BinaryIO, box: _Box) -> set[bytes]:
    """Types of the sample entries of a `stsd` box: version and flags, a count, then boxes."""
    return {entry.kind for entry in _entries(file, box)}


def _points_elsewhere(file: BinaryIO, box: _Box) -> bool:
    """Whether a `dref` box has an entry whose flags do not say that the media is in this same file."""
    for entry in _entries(file, box):
        file.seek(entry.body)
        flags = int.from_bytes(file.read(4)[1:], "big")
        if not flags & _SELF_CONTAINED:
            return True
    return False


def _entries(file: BinaryIO, box: _Box) -> Iterator[_Box]:
    position = box.body + 8
    for _ in range(64):
        entry = _read_box(file, position, box.end)
        if entry is None:
            return
        yield entry
        position = entry.end
