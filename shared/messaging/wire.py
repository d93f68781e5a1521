"""Header tables of messages as bytes that a database keeps exactly, and as JSON that a person can read.

Anybody may have written the headers of a dead letter. What AMQP brings, but its client library cannot send again, is
replaced by the nearest thing that it can.
"""

import base64
import math
import struct
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any

from pamqp import decode, encode

_DEEPEST = 20
_TOO_DEEP = "(nested too deep)"
_LONGEST_NAME_BYTES = 128  # AMQP's limit for the names in a table
_LAST_SECOND = 0xFFFF_FFFF  # times after it are taken for milliseconds when they are read again
_INT64 = 1 << 63
_Conversions = tuple[tuple[type | UnionType, Callable[[Any], Any]], ...]


def portable(value: Any) -> Any:
    """`value` as it can be sent: an equal one wherever AMQP has it, otherwise its text."""
    return _converted(value, _PORTABLE, _name, 0)


def _converted(value: Any, kinds: _Conversions, named: Callable[[object], str], depth: int) -> Any:
    if isinstance(value, Mapping | list | tuple) and depth >= _DEEPEST:
        return _TOO_DEEP
    if isinstance(value, Mapping):
        return {named(name): _converted(inner, kinds, named, depth + 1) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_converted(inner, kinds, named, depth + 1) for inner in value]
    return next((convert(value) for kind, convert in kinds if isinstance(value, kind)), None)


def _same(value: Any) -> Any:
    return value


def _integer(value: int) -> int | str:
    return value if -_INT64 <= value < _INT64 else str(value)


def _float(value: float) -> float | str:
    try:
        return float(struct.unpack(">f", struct.pack(">f", value))[0])
    except OverflowError:  # a 64-bit one: the library writes 32 bits alone
        return repr(value)


def _time(value: datetime) -> datetime | str:
    at = value if value.tzinfo else value.replace(tzinfo=UTC)
    second = math.floor(at.timestamp())
    return datetime.fromtimestamp(second, UTC) if 0 <= second <= _LAST_SECOND else at.isoformat()


def _decimal(value: Decimal) -> Decimal | str:
    try:
        encode.decimal(value)
    except TypeError:
        return str(value)
    return value


def _name(name: object) -> str:
    return str(name).encode(errors="replace")[:_LONGEST_NAME_BYTES].decode(errors="ignore")


def pack(headers: Mapping[str, Any]) -> bytes:
    """The table as AMQP writes it."""
    return encode.field_table(portable(headers))


def unpack(packed: bytes) -> dict[str, Any]:
    """The table that `pack` was given, after `portable`."""
    return dict(decode.field_table(packed)[1])


def readable(value: Any) -> Any:
    """`value` as JSON can say it: bytes as `{"base64": ...}`, times as ISO 8601, what JSON cannot say as text."""
    return _converted(value, _READABLE, _name, 0)


def _finite(value: float) -> float | str:
    return value if math.isfinite(value) else repr(value)


def _base64(value: bytes) -> dict[str, str]:
    return {"base64": base64.b64encode(bytes(value)).decode()}


def clean(value: object, longest: int | None = None) -> str:
    """`value` as text that UTF-8 can carry, at most `longest` characters of it."""
    return str(value)[:longest].encode(errors="replace").decode()


_BYTES = bytes | bytearray | memoryview
# The first kind that fits counts: True is a number too.
_PORTABLE: _Conversions = (
    (NoneType | bool, _same),
    (int, _integer),
    (float, _float),
    (_BYTES, bytearray),
    (datetime, _time),
    (Decimal, _decimal),
    (object, clean),
)
_READABLE: _Conversions = (
    (NoneType | bool | int, _same),
    (float, _finite),
    (_BYTES, _base64),
    (datetime, datetime.isoformat),
    (object, clean),
)
