"""What a video holds and its frames as small grey pictures at an even rate."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True)
class VideoFile:
    """A recording as its container describes it. `duration_s` is infinite when that says nothing of it."""

    path: Path
    has_moving_pictures: bool
    duration_s: float
    is_indexed: bool


def probe(path: Path, timeout_s: float) -> VideoFile:
    """Reads the head of a recording; a cover picture is no moving picture. InvalidSourceError if it is no media."""
    entries = "format=format_name,duration:stream=codec_type:stream_disposition=attached_pic"
    done = run(["ffprobe", "-v", "error", *media_input(path), "-show_entries", entries, "-of", "json"], timeout_s)
    if not done.succeeded:
        raise InvalidSourceError(UNREADABLE, internal=done.complaint)
    found = json.loads(done.output)
    streams, container = found.get("streams", []), found.get("format", {})
    return VideoFile(
        path,
        any(s.get("codec_type") == "video" and not s["disposition"]["attached_pic"] for s in streams),
        float(container.get("duration", "inf")),
        container.get("format_name") not in WITHOUT_INDEX,
    )


def sampling(video: VideoFile, start_s: float, *, fps: int, threads: int, filters: str) -> list[str]:
    """The ffmpeg command that puts out `fps` pictures a second from `start_s` on, without end; the output is to add.

    Until the first picture from `start_s` on, the one before it stands, and after the last that one, as in a player:
    pictures that do not change are often not stored.
    """
    lead_s = 0.0 if video.is_indexed else min(LEAD_S, start_s)
    command = ["ffmpeg", "-nostdin", "-v", "error", "-threads", str(threads), "-skip_frame", "noref"]
    # Not the accurate seek: it would drop a picture from before `start_s` that is still on screen there.
    command += ["-noaccurate_seek", "-ss", f"{start_s - lead_s:.3f}", *timed_input(video.path), "-map", "0:V:0"]
    chain = (
        f"fps={fps},{filters},tpad=stop=-1:stop_mode=clone,fps={fps}:start_time={lead_s:.3f},setpts=PTS-{lead_s:.3f}/TB"
    )
    return [*command, "-vf", chain, "-filter_threads", "1"]


def grey_frames(
    video: VideoFile, start_s: float, count: int, *, fps: int, threads: int, timeout_s: float
) -> Iterator[Grey]:
    """Yields up to `count` pictures of 320x180 from `start_s` on; fewer where the recording ends or fails to decode."""
    if math.isfinite(video.duration_s):
        count = min(count, math.ceil((video.duration_s - start_s) * fps))
    if count <= 0:
        return
    scale = f"scale={WIDTH}:{HEIGHT}:flags=area,format=gray"
    command = sampling(video, start_s, fps=fps, threads=threads, filters=scale)
    command += ["-frames:v", str(count), "-f", "rawvideo", "pipe:1"]
    for block in read_blocks(command, WIDTH * HEIGHT, timeout_s):
        yield np.frombuffer(block, np.uint8).reshape(HEIGHT, WIDTH)
