"""What a source is, found from its content: the one door that every upload passes."""

import stat
from pathlib import Path

import magic

from services.ingest.adapters.pdf import inspect_pdf
from services.ingest.adapters.recording import inspect_recording
from services.ingest.domain import sentences
from services.ingest.domain.content import HEAD_BYTES, Refusal, route
from services.ingest.domain.values import Inspection, Limits
from shared.errors import EngineError, InvalidSourceError, SourceTooLargeError


def inspect_source(path: Path, name: str, limits: Limits) -> Inspection:
    """Find out what the file at `path` is, and whether it can be used.

    `name` is what its owner calls it; it decides nothing and goes into internal messages only. The size is judged
    before a byte is read. Raises InvalidSourceError or SourceTooLargeError with a public sentence that says what to do.
    """
    facts = path.lstat()
    if not stat.S_ISREG(facts.st_mode):
        raise InvalidSourceError(sentences.NOT_A_FILE, internal=repr(name[:200]))
    if facts.st_size == 0:
        raise InvalidSourceError(sentences.EMPTY, internal=repr(name[:200]))
    if facts.st_size > limits.max_size_bytes:
        raise SourceTooLargeError(sentences.too_large(facts.st_size, limits.max_size_bytes))
    head = _read_head(path)
    magic_type = _magic_type(head)
    way = route(head, magic_type)
    if isinstance(way, Refusal):
        raise InvalidSourceError(str(way), internal=f"{name[:200]!r} is {magic_type}")
    return inspect_pdf(path, limits) if way == "pdf" else inspect_recording(path, magic_type, limits)


def _read_head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _magic_type(head: bytes) -> str:
    try:
        return str(magic.from_buffer(head, mime=True))
    except magic.MagicException as error:
        raise EngineError(f"libmagic failed: {error}") from error
