"""What a video holds and its frames as small grey pictures at an even rate.

Decoding everything runs at some 30 times real time for 720p on one core, keyframes alone at 400. A compressed video
spends bits exactly where the picture changes, so only the groups of pictures whose packets show activity are decoded
in full; in the others the keyframe stands for the whole group.
"""

import csv
import io
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from services.transcription.slides.programs import read_blocks, run
from services.transcription.slides.views import HEIGHT, WIDTH, Grey
from shared.errors import InvalidSourceError
from shared.media import media_input

Numbers = npt.NDArray[np.float64]

UNREADABLE = (
    "The video part of this recording cannot be decoded. "
    "Check that it plays on your own machine, or upload the sound only."
)
BIN_S = 0.5
KEY_SHARE = 0.02  # of the keyframe's bytes within half a second: less is no new picture, not even a faded one


@dataclass(frozen=True)
class Packet:
    """A compressed picture."""

    time_s: float
    duration_s: float
    size: int
    is_key: bool


@dataclass(frozen=True)
class Group:
    """A keyframe and what follows up to the next one. `active` when the picture may change within it."""

    start_s: float
    end_s: float
    active: bool


def has_moving_pictures(video: Path, timeout_s: float) -> bool:
    """Whether there is a video stream that is more than a cover picture.

    InvalidSourceError when the file is no media file at all.
    """
    entries = "stream=codec_type:stream_disposition=attached_pic"
    command = ["ffprobe", "-v", "error", *media_input(video), "-show_entries", entries, "-of", "json"]
    done = run(command, timeout_s)
    if not done.succeeded:
        raise InvalidSourceError(UNREADABLE, internal=done.complaint)
    streams = json.loads(done.output).get("streams", [])
    return any(s.get("codec_type") == "video" and not s["disposition"]["attached_pic"] for s in streams)


def start_time_s(video: Path, timeout_s: float) -> float:
    """The time stamp at which the container begins; ffmpeg counts `-ss` from there."""
    command = ["ffprobe", "-v", "error", *media_input(video), "-show_entries", "format=start_time", "-of", "json"]
    value = json.loads(run(command, timeout_s).output or b"{}").get("format", {}).get("start_time")
    return float(value) if value not in (None, "N/A") else 0.0


def read_packets(video: Path, start_s: float, end_s: float, timeout_s: float) -> list[Packet]:
    """The packets of the video stream around [start_s, end_s), by time from the start of the recording.

    Empty when the container does not time its packets: then nothing is known.
    """
    offset_s = start_time_s(video, timeout_s)
    interval = f"{start_s + offset_s:.3f}%{end_s + offset_s:.3f}"
    command = ["ffprobe", "-v", "error", "-read_intervals", interval, "-select_streams", "V:0", *media_input(video)]
    command += ["-show_entries", "packet=pts_time,duration_time,size,flags", "-of", "csv=p=0"]
    packets = []
    for row in csv.reader(io.StringIO(run(command, timeout_s).output.decode("ascii", "replace"))):
        try:
            duration_s = float(row[1]) if row[1] != "N/A" else 0.0
            packets.append(Packet(float(row[0]) - offset_s, duration_s, int(row[2]), row[3].startswith("K")))
        except (ValueError, IndexError):
            return []
    return sorted(packets, key=lambda packet: packet.time_s)


def groups_of(packets: list[Packet]) -> list[Group]:
    """Cuts packets into groups of pictures and finds those that spend bits on a change."""
    keys = [i for i, packet in enumerate(packets) if packet.is_key]
    if not keys:
        return []
    bins = [_bins(packets[a + 1 : b]) for a, b in zip(keys, [*keys[1:], len(packets)], strict=True)]
    ends = [packets[key].time_s for key in keys[1:]] + [packets[-1].time_s + packets[-1].duration_s]
    return [
        Group(packets[key].time_s, end, bool((spent > KEY_SHARE * packets[key].size).any()))
        for key, end, spent in zip(keys, ends, bins, strict=True)
    ]


def _bins(packets: list[Packet]) -> Numbers:
    """Bytes spent in each half second."""
    if not packets:
        return np.zeros(1)
    times = np.array([packet.time_s for packet in packets])
    sizes = np.array([packet.size for packet in packets], float)
    return np.bincount(((times - times.min()) / BIN_S).astype(int), weights=sizes).astype(float)


class Sampler:
    """Reads a range of a video as grey pictures of 320x180, `fps` of them a second."""

    def __init__(self, video: Path, *, fps: int, threads: int, timeout_s: float) -> None:
        self.video, self.fps, self.threads, self.timeout_s = video, fps, threads, timeout_s
        self.key_times_s: list[float] = []
        """Times of the keyframes in the range read last, where known."""

    def frames(self, start_s: float, count: int) -> Iterator[Grey]:
        """Yields up to `count` pictures from `start_s` on; fewer where the video ends or cannot be decoded."""
        end_s = start_s + count / self.fps
        packets = read_packets(self.video, start_s, end_s, self.timeout_s)
        groups = groups_of(packets)
        self.key_times_s = [group.start_s for group in groups]
        quiet = sum(group.end_s - group.start_s for group in groups if not group.active)
        if not groups or quiet < 0.2 * (end_s - start_s):
            yield from self.decode(start_s, count)
            return
        yield from self._mixed(start_s, count, groups)

    def decode(self, start_s: float, count: int, *, keyframes_only: bool = False) -> Iterator[Grey]:
        """Yields pictures from `start_s` on by decoding; a keyframe stands until the next with `keyframes_only`."""
        skip = "nokey" if keyframes_only else "noref"
        # Not the accurate seek: it would drop a picture from before `start_s` that is still on screen there.
        command = ["ffmpeg", "-nostdin", "-v", "error", "-threads", str(self.threads), "-skip_frame", skip]
        command += ["-noaccurate_seek", "-ss", f"{start_s:.3f}", *media_input(self.video), "-map", "0:V:0"]
        scale = f"scale={WIDTH}:{HEIGHT}:flags=area,format=gray"
        command += ["-vf", f"fps={self.fps}:start_time=0,{scale}", "-filter_threads", "1"]
        command += ["-frames:v", str(count), "-f", "rawvideo", "pipe:1"]
        for block in read_blocks(command, WIDTH * HEIGHT, self.timeout_s):
            yield np.frombuffer(block, np.uint8).reshape(HEIGHT, WIDTH)

    def _mixed(self, start_s: float, count: int, groups: list[Group]) -> Iterator[Grey]:
        count = min(count, math.ceil((groups[-1].end_s - start_s) * self.fps))
        active = self._active_samples(start_s, count, groups)
        keyframes = self.decode(start_s, count, keyframes_only=True)
        keyframe, detail = next(keyframes, None), None
        for i in range(count):
            if not active[i]:
                detail = None
            elif detail is None:
                run_length = int(np.argmin(np.append(active[i:], np.False_)))
                detail = self.decode(start_s + i / self.fps, run_length)
            picture = next(detail, None) if detail else None
            if (shown := keyframe if picture is None else picture) is not None:
                yield shown
            keyframe = next(keyframes, keyframe)  # the last one stands to the end of its group

    def _active_samples(self, start_s: float, count: int, groups: list[Group]) -> npt.NDArray[np.bool_]:
        active = np.zeros(max(0, count), np.bool_)
        for group in groups:
            if group.active:
                first = max(0, math.floor((group.start_s - start_s) * self.fps))
                active[first : max(0, math.ceil((group.end_s - start_s) * self.fps))] = True
        return active
