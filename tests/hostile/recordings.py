"""Recordings that claim or hold more than any lecture does. Each function writes one to `path`."""

import struct
import subprocess
from pathlib import Path

TONE = "sine=frequency=440:duration={}"


def _ffmpeg(path: Path, *arguments: str) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments, str(path)], check=True, timeout=300)


def wide_video(path: Path) -> None:
    """Pictures 65,500 points wide, just below the number of points that is decoded at all."""
    picture = "color=c=white:size=65500x1000:rate=1:duration=20"
    _ffmpeg(path, "-f", "lavfi", "-i", picture, "-c:v", "mjpeg", "-f", "matroska")


def long_sample(path: Path) -> None:
    """An MP4 whose first sample is said to last 2^31 ticks."""
    _ffmpeg(path, "-f", "lavfi", "-i", TONE.format(5), "-c:a", "aac", "-f", "mp4")
    data = bytearray(path.read_bytes())
    first_delta = data.index(b"stts") + 16
    data[first_delta : first_delta + 4] = struct.pack(">I", 1 << 31)
    path.write_bytes(data)


def many_tracks(path: Path) -> None:
    """40 tracks of sound."""
    tracks = [argument for _ in range(40) for argument in ("-map", "0:a")]
    _ffmpeg(path, "-f", "lavfi", "-i", TONE.format(60), *tracks, "-c:a", "aac", "-f", "mp4")


def playlist(path: Path) -> None:
    """A list of other files under the name of a video."""
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n")


def concatenation(path: Path) -> None:
    """ffmpeg's own kind of list."""
    path.write_text("ffconcat version 1.0\nfile '/etc/hostname'\n" * 1000)
