"""The full picture of a slide: one frame of the video as a PNG."""

import hashlib
from pathlib import Path

import cv2
import numpy as np

from services.transcription.slides.programs import run
from services.transcription.slides.values import SlideOptions, SlidePicture
from services.transcription.slides.video import VideoFile, sampling
from services.transcription.slides.views import CHANGED_BLOCKS, HEIGHT, WIDTH, Relation, View, relate
from shared.media import timed_input


def extract_picture(video: VideoFile, seen_s: float, view: View, target: Path, options: SlideOptions) -> SlidePicture:
    """Writes the frame that showed `view` at `seen_s` to `target`.

    The last keyframe before serves when it shows the same, for it costs a single frame to decode. Where nothing decodes
    the view itself is written, 320 pixels wide.
    """
    png = _keyframe(video, seen_s, options)
    if png is None or not _shows(png, view):
        png = _frame(video, seen_s, options) or png or cv2.imencode(".png", view.grey)[1].tobytes()
    return _write(png, target)


def _keyframe(video: VideoFile, time_s: float, options: SlideOptions) -> bytes | None:
    command = ["ffmpeg", "-nostdin", "-v", "error", "-threads", "1", "-noaccurate_seek", "-ss", f"{time_s:.3f}"]
    command += [*timed_input(video.path), "-map", "0:V:0", "-vf", _scale(options), "-filter_threads", "1"]
    return run([*command, *_ONE_PNG], options.timeout_s).output or None


def _frame(video: VideoFile, time_s: float, options: SlideOptions) -> bytes | None:
    # The same clock as the scan's, so that a picture that began long before is found where it still stands.
    command = sampling(video, time_s, fps=options.sample_fps, threads=1, filters=_scale(options))
    return run([*command, *_ONE_PNG], options.timeout_s).output or None


_ONE_PNG = ["-frames:v", "1", "-c:v", "png", "-f", "image2pipe", "pipe:1"]


def _scale(options: SlideOptions) -> str:
    """Square pixels first, then the limit of the width; even sizes are not needed in a PNG."""
    square = "scale='max(1,trunc(iw*if(gt(sar,0),sar,1)))':ih"
    return f"{square},scale='min({options.max_width},iw)':-1,setsar=1,format=rgb24"


def _shows(png: bytes, view: View) -> bool:
    decoded = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    if decoded is None:
        return False
    small = np.asarray(cv2.resize(decoded, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
    return relate(View(small, view.busy), view, changed_limit=CHANGED_BLOCKS) is Relation.SAME


def _write(png: bytes, target: Path) -> SlidePicture:
    """Puts the bytes in place in one step, so that a half-written picture is never taken for one."""
    partial = target.with_suffix(".part")
    partial.write_bytes(png)
    partial.replace(target)
    width, height = (int.from_bytes(png[i : i + 4], "big") for i in (16, 20))  # of the PNG's header
    return SlidePicture(
        name=target.name, sha256=hashlib.sha256(png).hexdigest(), size=len(png), width=width, height=height
    )
