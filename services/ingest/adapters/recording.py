"""Opening a recording: ffprobe's view of it, judged by the limits; its duration measured, not believed."""

import json
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from services.ingest.adapters.boxes import BoxFacts, read_boxes
from services.ingest.adapters.duration import Measured, measure_duration
from services.ingest.domain import sentences
from services.ingest.domain.values import Inspection, Limits
from shared.errors import InvalidSourceError, SourceTooLargeError
from shared.media import MAX_STREAMS, MediaToolError, media_input, run_media_tool
from shared.names import clean_title

MIN_PROBE_SCORE = 25  # of 100; below, ffmpeg guesses from a name or from bytes that could be anything
EARLY_END_SHARE = 0.02
EARLY_END_S = 2.0
_ENTRIES = (
    "format=format_name,duration,start_time,probe_score"
    ":stream=index,codec_type,codec_name,width,height,sample_rate,channels"
    ":stream_disposition=default,attached_pic,timed_thumbnails,visual_impaired,comment"
)
_TAGS = ":format_tags=title,TITLE:stream_tags=language,LANGUAGE"
_PICTURE_REFUSED = re.compile(r"Picture size (\d{1,9})x(\d{1,9}) exceeds")
_MEDIA_TYPES = {
    "mov": ("video/mp4", "audio/mp4"),
    "matroska": ("video/x-matroska", "audio/x-matroska"),
    "avi": ("video/x-msvideo", "video/x-msvideo"),
    "flv": ("video/x-flv", "video/x-flv"),
    "asf": ("video/x-ms-asf", "audio/x-ms-wma"),
    "mpeg": ("video/mpeg", "video/mpeg"),
    "mpegvideo": ("video/mpeg", "video/mpeg"),
    "mpegts": ("video/mp2t", "video/mp2t"),
    "ogg": ("video/ogg", "audio/ogg"),
    "mp3": ("audio/mpeg", "audio/mpeg"),
}


class _Stream(BaseModel):
    index: int
    codec_type: str = ""
    codec_name: str = ""
    width: int = 0
    height: int = 0
    sample_rate: int = 0
    channels: int = 0
    disposition: dict[str, int] = Field(default_factory=dict)
    tags: dict[str, str] = Field(default_factory=dict)

    @property
    def is_sound(self) -> bool:
        return self.codec_type == "audio"

    @property
    def is_picture(self) -> bool:
        """Moving pictures: no cover, no thumbnails."""
        still = self.disposition.get("attached_pic", 0) or self.disposition.get("timed_thumbnails", 0)
        return self.codec_type == "video" and not still

    @property
    def is_known(self) -> bool:
        return self.codec_name not in {"", "none", "unknown"}


class _Format(BaseModel):
    format_name: str = ""
    duration: float | None = None
    start_time: float = 0.0
    probe_score: int = 0
    tags: dict[str, str] = Field(default_factory=dict)


class _Probe(BaseModel):
    streams: list[_Stream] = Field(default_factory=list)
    format: _Format


def inspect_recording(path: Path, magic_type: str, limits: Limits, *, may_copy: bool = True) -> Inspection:
    """Facts about the recording at `path`, which libmagic calls `magic_type`.

    What is joined of parts that count their time anew is copied beside it with one clock, and the facts are the copy's,
    unless it may not (`may_copy`).
    Raises InvalidSourceError for what is damaged, protected, empty or of an unknown coding, SourceTooLargeError for
    what is over `limits`. A recording whose end is missing is used as far as it goes, with a warning.
    """
    _judge_boxes(read_boxes(path))
    probe = _probe(path, magic_type, limits)
    sounds, pictures = _usable_streams(probe, limits)
    measured = measure_duration(
        path,
        [stream.index for stream in (*sounds[:1], *pictures[:1])],
        claimed_s=probe.format.duration,
        start_s=probe.format.start_time,
        estimated=_is_estimated(probe.format.format_name),
        limits=limits,
    )
    jumps = bool(sounds) and sounds[0].index in measured.jumping_streams
    if may_copy and jumps and _restarts_its_clock(probe.format.format_name):
        return _with_one_clock(path, _media_type(probe.format.format_name, magic_type, has_video=True), limits)
    sounds = [stream for stream in sounds if stream.index not in measured.empty_streams]
    pictures = [stream for stream in pictures if stream.index not in measured.empty_streams]
    if measured.duration_s <= 0 or not (sounds or pictures):
        raise InvalidSourceError(sentences.NOTHING_PLAYS)
    if measured.duration_s > limits.max_duration_s:
        raise SourceTooLargeError(sentences.too_long(measured.duration_s, limits.max_duration_s))
    picture = pictures[0] if pictures else None
    return Inspection(
        path=path,
        kind="recording",
        media_type=_media_type(probe.format.format_name, magic_type, has_video=picture is not None),
        size=path.stat().st_size,
        title=clean_title(_tag(probe.format.tags, "title")),
        language=_language(sounds),
        duration_s=measured.duration_s,
        has_audio=bool(sounds),
        has_video=picture is not None,
        width=picture.width if picture else None,
        height=picture.height if picture else None,
        audio_streams=tuple(stream.index for stream in sounds),
        video_stream=picture.index if picture else None,
        warnings=_warnings(measured, probe.format.duration),
    )


def _judge_boxes(boxes: BoxFacts | None) -> None:
    if boxes is None:
        return
    if boxes.external:
        raise InvalidSourceError(sentences.EXTERNAL_MEDIA)
    if boxes.protected:
        raise InvalidSourceError(sentences.PROTECTED_MEDIA)
    if not boxes.has_index:
        raise InvalidSourceError(sentences.UNFINISHED_MEDIA)


def _probe(path: Path, magic_type: str, limits: Limits) -> _Probe:
    try:
        found = _run_ffprobe(path, _ENTRIES + _TAGS, limits) or _run_ffprobe(path, _ENTRIES, limits)
    except MediaToolError as error:
        claims_media = magic_type.startswith(("video/", "audio/"))
        sentence = sentences.DAMAGED_MEDIA if claims_media else sentences.UNKNOWN
        raise InvalidSourceError(sentence, internal=str(error)) from error
    if found is None:
        raise InvalidSourceError(sentences.DAMAGED_MEDIA, internal="ffprobe's answer is not understood")
    if found.format.probe_score < MIN_PROBE_SCORE:
        raise InvalidSourceError(sentences.UNKNOWN, internal=f"probe score {found.format.probe_score}")
    return found


def _run_ffprobe(path: Path, entries: str, limits: Limits) -> _Probe | None:
    """ffprobe's answer, or None if it is not what it should be (tags can hold anything, of any length)."""
    command = ["ffprobe", "-v", "error", "-show_entries", entries, "-of", "json", *media_input(path)]
    output = run_media_tool(command, timeout_s=min(120.0, limits.timeout_s))
    refused = _PICTURE_REFUSED.search(output.stderr)
    if refused:  # by `-max_pixels`, before a picture of that size was decoded; ffprobe then reports no size
        raise SourceTooLargeError(sentences.picture_too_large(int(refused[1]), int(refused[2])))
    try:
        answer: dict[str, Any] = json.loads(output.stdout.decode("utf-8", "replace"))
        return _Probe.model_validate(answer)
    except (ValueError, ValidationError):
        return None


def _usable_streams(probe: _Probe, limits: Limits) -> tuple[list[_Stream], list[_Stream]]:
    """Sound and picture streams, the one to prefer first."""
    if len(probe.streams) > min(limits.max_streams, MAX_STREAMS - 1):
        raise InvalidSourceError(sentences.TOO_MANY_TRACKS)
    tracks = [stream for stream in probe.streams if stream.is_sound or stream.is_picture]
    if not tracks:
        raise InvalidSourceError(sentences.NO_TRACKS)
    known = [stream for stream in tracks if stream.is_known]
    if not known:
        raise InvalidSourceError(sentences.UNKNOWN_CODEC)
    sounds = [stream for stream in known if stream.is_sound and stream.channels and stream.sample_rate]
    pictures = [stream for stream in known if stream.is_picture and stream.width and stream.height]
    if not (sounds or pictures):
        raise InvalidSourceError(sentences.NOTHING_PLAYS)
    for stream in sounds:
        if stream.channels > limits.max_channels or stream.sample_rate > limits.max_sample_rate_hz:
            raise InvalidSourceError(sentences.ODD_SOUND)
    for stream in pictures:
        if stream.width * stream.height > limits.max_pixels:
            raise SourceTooLargeError(sentences.picture_too_large(stream.width, stream.height))
    return sorted(sounds, key=_sound_rank), sorted(pictures, key=_picture_rank)


def _sound_rank(stream: _Stream) -> tuple[bool, bool, int]:
    described = stream.disposition.get("visual_impaired", 0) or stream.disposition.get("comment", 0)
    return bool(described), not stream.disposition.get("default", 0), stream.index


def _picture_rank(stream: _Stream) -> tuple[bool, int, int]:
    return not stream.disposition.get("default", 0), -stream.width * stream.height, stream.index


def _is_estimated(format_name: str) -> bool:
    """Formats without a duration of their own: ffmpeg divides size by bit rate, or reads a few time stamps."""
    return bool({"aac", "ac3", "amr", "mp3", "mpegvideo", "mpeg", "mpegts"} & set(format_name.split(",")))


def _restarts_its_clock(format_name: str) -> bool:
    """Formats of broadcasts, in which each programme or each part that was joined may count from anywhere."""
    return bool({"mpegts", "mpeg"} & set(format_name.split(",")))


def _with_one_clock(path: Path, media_type: str, limits: Limits) -> Inspection:
    """Facts about a copy beside `path` in which time runs on where the original sets its clock anew.

    Nothing is coded anew. Raises InvalidSourceError where ffmpeg cannot make the copy.
    """
    copy = path.with_name(f"{path.name}.one-clock.ts")
    streams = ["-map", "0:v?", "-map", "0:a?", "-c", "copy"]
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *media_input(path), *streams]
    try:
        run_media_tool([*command, f"file:{copy.resolve()}"], timeout_s=limits.timeout_s)
    except MediaToolError as error:
        copy.unlink(missing_ok=True)
        raise InvalidSourceError(sentences.JUMPING_CLOCK, internal=str(error)) from error
    # What ffmpeg took for a gap is one in the copy, too: a copy of the copy would be the same.
    found = inspect_recording(copy, media_type, limits, may_copy=False)
    return found.model_copy(update={"media_type": media_type})


def _media_type(format_name: str, magic_type: str, *, has_video: bool) -> str:
    first = format_name.split(",", maxsplit=1)[0]
    if magic_type in {"video/webm", "video/quicktime"}:
        return magic_type if has_video else magic_type.replace("video/webm", "audio/webm")
    with_video, without = _MEDIA_TYPES.get(first, (f"audio/{first}", f"audio/{first}"))
    return with_video if has_video else without


def _tag(tags: dict[str, str], name: str) -> str | None:
    return next((value for key, value in tags.items() if key.lower() == name), None)


def _language(sounds: list[_Stream]) -> str | None:
    tag = _tag(sounds[0].tags, "language") if sounds else None
    usable = tag and tag != "und" and len(tag) <= 16 and tag.isascii() and tag.replace("-", "").isalnum()
    return tag if usable else None


def _warnings(measured: Measured, claimed_s: float | None) -> tuple[str, ...]:
    if claimed_s is None or measured.estimated:
        return ()
    missing_s = claimed_s - measured.duration_s
    if missing_s > max(EARLY_END_S, EARLY_END_SHARE * claimed_s):
        return (sentences.ends_early(measured.duration_s, claimed_s),)
    return ()
