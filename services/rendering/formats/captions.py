"""Captions as WebVTT and SRT. Text of a source never becomes a tag, a timing line or a position."""

import re
from collections.abc import Sequence

from services.rendering.domain.captions import Cue

_TAG_START = re.compile(r"<(?=\S)")


def webvtt(cues: Sequence[Cue]) -> bytes:
    """A WebVTT file; `&`, `<` and `>` are character references, so no tag and no arrow can be in a cue."""
    blocks = ["WEBVTT"]
    for number, cue in enumerate(cues, start=1):
        timing = f"{_timestamp(cue.start_s, '.')} --> {_timestamp(cue.end_s, '.')}"
        blocks.append("\n".join([str(number), timing, *map(_escape_vtt, cue.lines)]))
    return ("\n\n".join(blocks) + "\n").encode()


def srt(cues: Sequence[Cue]) -> bytes:
    """A SubRip file. The format has no escapes: a space keeps `<b>` and `{\\an8}` from being read as a tag."""
    blocks = []
    for number, cue in enumerate(cues, start=1):
        timing = f"{_timestamp(cue.start_s, ',')} --> {_timestamp(cue.end_s, ',')}"
        blocks.append("\n".join([str(number), timing, *map(_defuse_srt, cue.lines)]) + "\n")
    return "\n".join(blocks).encode()


def _timestamp(time_s: float, point: str) -> str:
    milliseconds = round(time_s * 1000)
    seconds = milliseconds // 1000
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{milliseconds % 1000:03d}"


def _escape_vtt(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _defuse_srt(line: str) -> str:
    return _TAG_START.sub("< ", line.replace("-->", "→").replace("{\\", "{ \\"))
