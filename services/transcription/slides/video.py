"""What a video holds and its frames as small grey pictures at an even rate."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from services.transcription.slides.programs import read_blocks, run
from services.transcription.slides.views import HEIGHT, WIDTH, Grey
from shared.errors import InvalidSourceError
from shared.media import media_input, timed_input

UNREADABLE = (
    "The video part of this recording cannot be decoded. "
    "Check that it plays on your own machine, or upload the sound only."
)
LEAD_S = 30.0  # where there is no index, a seek lands between keyframes: longer than from one keyframe to the next
WITHOUT_INDEX = {"mpegts", "mpeg"}
COARSE_S = Fraction(1, 10)  # between two time stamps; ffmpeg rounds the start of a seek to one of them
LATE_S = 0.5  # a picture that begins this much after the sound is not shown from the beginning
DENSE_S = 0.26  # between pictures, all over a range: every slide then has pictures that others refer to
GAP_SHARE = 0.1  # of the steps from picture to picture
_ENTRIES = (
    "format=format_name,duration,start_time:stream=index,codec_type,width,height,time_base,start_time"
    ":stream_disposition=attached_pic,timed_thumbnails,default"
)


@dataclass(frozen=True)
class VideoFile:
    """A recording as its container describes it, and the stream of it in which slides are looked for.

    `duration_s` is infinite when the container says nothing of it. Second 0 of the recording is `origin_s` in its
    own time; the first picture comes `first_picture_s` seconds later. A seek has to begin at a multiple of
    `seek_step_s`; where one leads to no keyframe, the recording is not `seekable`. `skip` names the frames that ffmpeg
    need not decode. Where it `has_gaps` between pictures, they count as time and are no jump of the clock.
    """

    path: Path
    stream: int | None
    has_sound: bool
    duration_s: float
    is_indexed: bool
    origin_s: float = 0.0
    first_picture_s: float = 0.0
    seek_step_s: float = 0.0
    seekable: bool = True
    skip: str = "default"
    has_gaps: bool = False

    @property
    def has_moving_pictures(self) -> bool:
        """Whether there is a stream of pictures; a cover is none."""
        return self.stream is not None

    @property
    def mapped(self) -> list[str]:
        """ffmpeg's arguments that choose the stream."""
        return ["-map", f"0:{self.stream}"]


def probe(path: Path, timeout_s: float) -> VideoFile:
    """Reads the head of a recording; a cover picture is no moving picture. InvalidSourceError if it is no media."""
    done = run(["ffprobe", "-v", "error", *media_input(path), "-show_entries", _ENTRIES, "-of", "json"], timeout_s)
    if not done.succeeded:
        raise InvalidSourceError(UNREADABLE, internal=done.complaint)
    found = json.loads(done.output)
    streams, container = found.get("streams", []), found.get("format", {})
    stream = min((s for s in streams if _is_moving(s)), key=_rank, default=None)
    origin_s = float(container.get("start_time", 0))
    late_s = float(stream.get("start_time", origin_s)) - origin_s if stream else 0.0
    return VideoFile(
        path,
        None if stream is None else int(stream["index"]),
        any(s.get("codec_type") == "audio" for s in streams),
        float(container.get("duration", "inf")),
        container.get("format_name") not in WITHOUT_INDEX,
        origin_s,
        late_s if late_s >= LATE_S else 0.0,
        _seek_step_s(stream),
    )


def adapted(video: VideoFile, start_s: float, end_s: float, timeout_s: float) -> VideoFile:
    """The video with the cheapest way to decode it from `start_s` to `end_s`, found from its packets.

    Where pictures come densely, half of them can be skipped. Where one is only stored when something changes, each
    counts: a slide may be a frame to which no other refers. Without an index a seek needs a keyframe within its lead.
    """
    first_s = start_s if video.is_indexed else max(0.0, start_s - LEAD_S)
    span = f"{video.origin_s + first_s:.3f}%{video.origin_s + end_s:.3f}"
    interval = ["-select_streams", str(video.stream), "-read_intervals", span]
    command = ["ffprobe", "-v", "error", *interval, "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0"]
    listed = run([*command, *media_input(video.path)], timeout_s).output.decode("ascii", "replace")
    packets = sorted(_packets(listed))
    times = [time_s for time_s, _ in packets]
    is_dense = len(times) > (end_s - start_s) / DENSE_S / 2 and all(b - a <= DENSE_S for a, b in pairwise(times))
    leads = video.is_indexed or any(is_key and time_s <= video.origin_s + start_s for time_s, is_key in packets)
    gaps = sum(b - a > DENSE_S for a, b in pairwise(times))  # a single one among many pictures is a jump of the clock
    has_gaps = not video.is_indexed and gaps >= GAP_SHARE * (len(times) - 1)
    return replace(video, skip="noref" if is_dense else "default", seekable=leads, has_gaps=has_gaps)


def sampling(video: VideoFile, start_s: float, *, fps: int, threads: int, filters: str, seek: bool = True) -> list[str]:
    """The ffmpeg command that puts out `fps` pictures a second from `start_s` on, without end; the output is to add.

    Until the first picture from `start_s` on, the one before it stands, and after the last that one, as in a player:
    pictures that do not change are often not stored. Without `seek` everything before is decoded as well.
    """
    seek_s = _seek_to(video, start_s) if seek else 0.0
    lead_s = start_s if video.has_gaps else start_s - seek_s
    command = ["ffmpeg", "-nostdin", "-v", "error", "-threads", str(threads), "-skip_frame", video.skip]
    if seek_s:  # a seek to the very beginning can fail where the first time stamp is below zero
        # Not the accurate seek: it would drop a picture from before `start_s` that is still on screen there.
        command += ["-noaccurate_seek", "-ss", f"{seek_s:.3f}"]
    if video.has_gaps:
        # In a transport stream ffmpeg takes 10 seconds without a picture for a jump of the clock and closes the gap,
        # unless it keeps the times; they then count from the recording's beginning, wherever the seek leads.
        command += ["-copyts", "-start_at_zero"]
    command += [*timed_input(video.path), *video.mapped]
    chain = (
        f"fps={fps}:eof_action=pass,{filters},tpad=stop=-1:stop_mode=clone,"
        f"fps={fps}:start_time={lead_s:.3f},setpts=PTS-{lead_s:.3f}/TB"
    )
    return [*command, "-vf", chain, "-filter_threads", "1"]


def grey_frames(
    video: VideoFile, start_s: float, count: int, *, fps: int, threads: int, timeout_s: float
) -> Iterator[Grey]:
    """Yields up to `count` pictures of 320x180 from `start_s` on; fewer where the recording ends or fails to decode.

    Where a seek yields nothing, the recording is decoded from its beginning.
    """
    if math.isfinite(video.duration_s):
        count = min(count, math.ceil((video.duration_s - start_s) * fps))
    if count <= 0:
        return
    scale = f"scale={WIDTH}:{HEIGHT}:flags=area,format=gray"
    output = ["-frames:v", str(count), "-f", "rawvideo", "pipe:1"]
    for seek in (True, False) if _seek_to(video, start_s) else (True,):
        command = sampling(video, start_s, fps=fps, threads=threads, filters=scale, seek=seek)
        found = False
        for block in read_blocks([*command, *output], WIDTH * HEIGHT, timeout_s):
            found = True
            yield np.frombuffer(block, np.uint8).reshape(HEIGHT, WIDTH)
        if found:
            return


def _is_moving(stream: dict[str, Any]) -> bool:
    disposition = stream.get("disposition", {})
    still = disposition.get("attached_pic", 0) or disposition.get("timed_thumbnails", 0)
    return stream.get("codec_type") == "video" and not still


def _rank(stream: dict[str, Any]) -> tuple[bool, int, int]:
    """The stream that a player would show, and of several the largest; as ingest measures them."""
    is_default = bool(stream.get("disposition", {}).get("default", 0))
    return not is_default, -int(stream.get("width", 0)) * int(stream.get("height", 0)), int(stream["index"])


def _seek_step_s(stream: dict[str, Any] | None) -> float:
    numerator, _, denominator = str((stream or {}).get("time_base", "0/1")).partition("/")
    if not (numerator.isdigit() and denominator.isdigit() and int(denominator)):
        return 0.0
    step_s = Fraction(int(numerator), int(denominator))
    return float(step_s.numerator) if step_s >= COARSE_S else 0.0  # whole seconds that are multiples of the step


def _seek_to(video: VideoFile, start_s: float) -> float:
    """Where to begin so that no rounding to the stream's own time stamps moves a picture; 0.0: at the beginning."""
    if not video.seekable:
        return 0.0
    seek_s = start_s if video.is_indexed else max(0.0, start_s - LEAD_S)
    return seek_s if not video.seek_step_s else seek_s // video.seek_step_s * video.seek_step_s


def _packets(listed: str) -> Iterator[tuple[float, bool]]:
    """When each picture is shown and whether it is a keyframe; packets without a time stamp are left out."""
    for line in listed.splitlines():
        time_s, _, flags = line.partition(",")
        try:
            yield float(time_s), flags.startswith("K")
        except ValueError:
            continue
