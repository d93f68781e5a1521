"""Recordings that claim or hold more than any lecture does. Each function writes one to `path`."""

import struct
import subprocess
from pathlib import Path

TONE = "sine=frequency=440:duration={}"


def _ffmpeg(path: Path, *arguments: str) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments, str(path)], check=True, timeout=300)


def wide_video(path: Path) -> None:
    """Pictures 65,500 points wide, just below the number of points that is decoded at all."""
    picture = "color=c=white:size=65500x1000:rate=1:duration=2"
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
    _tracks(path, TONE.format(10), 40)


def silent_tracks(path: Path) -> None:
    """As many tracks as are taken, each of them six hours of silence."""
    _tracks(path, "anullsrc=sample_rate=8000:channel_layout=mono:duration=21600", 32)


def _tracks(path: Path, source: str, count: int) -> None:
    one = path.with_suffix(".flac")
    _ffmpeg(one, "-f", "lavfi", "-i", source, "-c:a", "flac", "-f", "flac")
    tracks = [argument for _ in range(count) for argument in ("-map", "0:a")]
    _ffmpeg(path, "-i", str(one), *tracks, "-c:a", "copy", "-f", "matroska")
    one.unlink()


def large_pictures(path: Path) -> None:
    """Pictures as large as are taken, and as many of them kept as a decoder can be asked to keep."""
    picture = "testsrc2=size=8192x4320:rate=2:duration=4"
    sound = ["-f", "lavfi", "-i", TONE.format(4)]
    keep = ["-c:v", "libx264", "-preset", "ultrafast", "-x264-params", "ref=16:bframes=8:threads=2"]
    _ffmpeg(path, "-f", "lavfi", "-i", picture, *sound, *keep, "-pix_fmt", "yuv420p", "-c:a", "aac", "-f", "mp4")


def flat_pictures(path: Path) -> None:
    """65,500 points wide, and just few enough to be taken."""
    picture = "color=c=white:size=65500x540:rate=1:duration=3"
    _ffmpeg(path, "-f", "lavfi", "-i", picture, "-c:v", "mjpeg", "-f", "matroska")


def playlist(path: Path) -> None:
    """A list of other files under the name of a video."""
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n")


def concatenation(path: Path) -> None:
    """ffmpeg's own kind of list."""
    path.write_text("ffconcat version 1.0\nfile '/etc/hostname'\n" * 1000)
