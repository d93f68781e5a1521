"""The full picture of a slide: one frame of the video as a PNG."""

import hashlib
from pathlib import Path

import cv2
import numpy as np

from services.transcription.slides.programs import run
from services.transcription.slides.values import SlideOptions, SlidePicture
from services.transcription.slides.views import HEIGHT, WIDTH, Relation, View, relate
from shared.media import media_input


def extract_picture(video: Path, times_s: list[float], view: View, target: Path, options: SlideOptions) -> SlidePicture:
    """Writes the frame that shows `view` to `target`, trying `times_s` one after the other.

    A seek may land beside the wanted frame in a damaged file: a frame that does not look like the view is used only
    when no other time gives one. With no frame at all the view itself is written, 320 pixels wide.
    """
    fallback: bytes | None = None
    for time_s in times_s:
        png = _frame(video, time_s, options)
        if png is None:
            continue
        if _shows(png, view):
            return _write(png, target)
        fallback = fallback or png
    return _write(fallback or _png(view.grey), target)


def _frame(video: Path, time_s: float, options: SlideOptions) -> bytes | None:
    # Square pixels first, then the limit of the width; even sizes are not needed in a PNG.
    scale = f"scale='max(1,trunc(iw*if(gt(sar,0),sar,1)))':ih,scale='min({options.max_width},iw)':-1,setsar=1"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-threads", str(options.threads), "-skip_frame", "noref"]
    command += ["-noaccurate_seek", "-ss", f"{max(0.0, time_s):.3f}", *media_input(video), "-map", "0:V:0"]
    # The same clock as the scan's, so that a picture that began long before is found where it still stands.
    command += ["-vf", f"fps={options.sample_fps}:start_time=0,{scale},format=rgb24", "-filter_threads", "1"]
    command += ["-frames:v", "1", "-c:v", "png", "-f", "image2pipe", "pipe:1"]
    return run(command, options.timeout_s).output or None


def _shows(png: bytes, view: View) -> bool:
    decoded = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    if decoded is None:
        return False
    small = np.asarray(cv2.resize(decoded, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
    return relate(View(small, view.busy), view, changed_limit=8) is Relation.SAME


def _png(grey: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> bytes:
    return cv2.imencode(".png", grey)[1].tobytes()


def _write(png: bytes, target: Path) -> SlidePicture:
    """Puts the bytes in place in one step, so that a half-written picture is never taken for one."""
    partial = target.with_suffix(".part")
    partial.write_bytes(png)
    partial.replace(target)
    width, height = (int.from_bytes(png[i : i + 4], "big") for i in (16, 20))  # of the PNG's header
    return SlidePicture(
        name=target.name, sha256=hashlib.sha256(png).hexdigest(), size=len(png), width=width, height=height
    )
