"""How long a recording really is, from its packets: headers may be absent, estimated, cut off or lying."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from services.ingest.domain import sentences
from services.ingest.domain.values import Limits
from shared.errors import InvalidSourceError
from shared.media import MediaToolError, media_input, stream_media_tool

TAIL_S = 10.0
JUMP_S = 10.0  # from one packet of sound to the next, ahead: what ffmpeg takes for a clock set anew
BACK_S = 1.0


@dataclass(frozen=True)
class Measured:
    """`estimated` says that the header's own figure was a guess; `empty_streams` have no packet at all. The times of
    `jumping_streams` go back or leap ahead."""

    duration_s: float
    estimated: bool
    empty_streams: frozenset[int]
    jumping_streams: frozenset[int] = frozenset()


@dataclass
class _Ends:
    """The last moment seen in each stream, in the file's own time."""

    end_s: dict[int, float] = field(default_factory=dict)
    decoded_s: dict[int, float] = field(default_factory=dict)
    jumping: set[int] = field(default_factory=set)

    def read(self, lines: Iterable[bytes]) -> None:
        """Take in ffprobe's packets: `stream,pts,dts,duration`, anything of which may be missing."""
        for line in lines:
            fields = line.rstrip(b"\n,").split(b",")
            if len(fields) < 4 or not fields[0].isdigit():
                continue
            moment_s = _number(fields[1], _number(fields[2], math.nan)) + _number(fields[3], 0.0)
            self._note_jump(int(fields[0]), _number(fields[2], math.nan))
            if math.isfinite(moment_s):
                stream = int(fields[0])
                self.end_s[stream] = max(moment_s, self.end_s.get(stream, -math.inf))
            else:
                self.end_s.setdefault(int(fields[0]), -math.inf)

    def _note_jump(self, stream: int, decoded_s: float) -> None:
        if not math.isfinite(decoded_s):
            return
        if not -BACK_S <= decoded_s - self.decoded_s.get(stream, decoded_s) <= JUMP_S:
            self.jumping.add(stream)
        self.decoded_s[stream] = decoded_s


def measure_duration(
    path: Path, streams: list[int], *, claimed_s: float | None, start_s: float, estimated: bool, limits: Limits
) -> Measured:
    """Seconds from the file's first time stamp (`start_s`) to the end of the last packet of `streams`.

    A header's claim is checked by reading the last seconds it speaks of; a claim that does not hold, or none, costs
    one pass over the packets (no decoding).
    """
    ends = _Ends()
    tail = claimed_s is not None and claimed_s > 2 * TAIL_S and not estimated
    if tail and claimed_s is not None:
        _read_packets(path, ends, limits, interval=f"{start_s + claimed_s - TAIL_S:.3f}%")
        if all(ends.end_s.get(stream, -math.inf) >= start_s + claimed_s - TAIL_S for stream in streams):
            last_s = max(ends.end_s[stream] for stream in streams)
            return Measured(last_s - start_s, estimated=False, empty_streams=frozenset())
    ends = _Ends()
    _read_packets(path, ends, limits)
    empty = frozenset(stream for stream in streams if stream not in ends.end_s)
    last_s = max((ends.end_s[stream] for stream in streams if stream in ends.end_s), default=-math.inf)
    duration_s = last_s - start_s if math.isfinite(last_s) else 0.0
    jumping = frozenset(ends.jumping)
    return Measured(duration_s, estimated or claimed_s is None, empty_streams=empty, jumping_streams=jumping)


def _read_packets(path: Path, ends: _Ends, limits: Limits, interval: str | None = None) -> None:
    span = ["-read_intervals", interval] if interval else []
    entries = ["-show_entries", "packet=stream_index,pts_time,dts_time,duration_time", "-of", "csv=p=0"]
    command = ["ffprobe", "-v", "error", *span, *entries, *media_input(path)]
    try:
        with stream_media_tool(command, timeout_s=limits.timeout_s) as lines:
            ends.read(lines)
    except MediaToolError as error:
        if not interval:  # a failed jump to the end proves nothing: the whole is read next
            raise InvalidSourceError(sentences.DAMAGED_MEDIA, internal=str(error)) from error


def _number(text: bytes, otherwise: float) -> float:
    try:
        return float(text)
    except ValueError:
        return otherwise
