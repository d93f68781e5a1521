"""The full pictures of slides: frames of the video as PNG."""

import hashlib
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from services.transcription.slides.programs import run
from services.transcription.slides.rewording import small_changes
from services.transcription.slides.values import SlideOptions, SlidePicture
from services.transcription.slides.video import VideoFile, sampling
from services.transcription.slides.views import CHANGED_BLOCKS, HEIGHT, WIDTH, Relation, View, relate
from shared.media import timed_input


@dataclass(frozen=True)
class Wanted:
    """A view that was seen `seen_s` seconds into the recording, and where its picture is to be written."""

    seen_s: float
    view: View
    target: Path


@dataclass(frozen=True)
class Extracted:
    """A picture in its place. One that is `reduced` is the scan's own, 320 pixels wide and grey."""

    picture: SlidePicture
    reduced: bool


def extract_pictures(
    video: VideoFile, wanted: Sequence[Wanted], first_s: float, options: SlideOptions
) -> list[Extracted]:
    """Writes for each view a frame that shows it; a frame that shows something else is never taken.

    The last keyframe before serves when it shows the same, for it costs a single frame to decode, then the frame that
    a seek reaches. What is not found so is taken from one more pass over what the scan read, from `first_s` on. Where
    that fails as well, the view itself is written.
    """
    with ThreadPoolExecutor(options.threads) as pool:
        quick = list(pool.map(lambda one: _quick(video, one, options), wanted))
    missing = [one for one, png in zip(wanted, quick, strict=True) if png is None]
    thorough = _pass(video, missing, first_s, options) if missing else {}
    extracted = []
    for one, png in zip(wanted, quick, strict=True):
        found = png or thorough.get(one.seen_s)
        data = found or cv2.imencode(".png", one.view.grey)[1].tobytes()
        extracted.append(Extracted(_write(data, one.target), reduced=found is None))
    return extracted


def _quick(video: VideoFile, wanted: Wanted, options: SlideOptions) -> bytes | None:
    for find in (_keyframe, _frame):
        png = find(video, wanted.seen_s, options)
        # The keyframe may be of another time: a number that became another one since would look the same.
        if png is not None and _shows(png, wanted.view, exactly=find is _keyframe):
            return png
    return None


def _keyframe(video: VideoFile, time_s: float, options: SlideOptions) -> bytes | None:
    command = ["ffmpeg", "-nostdin", "-v", "error", "-threads", "1", "-noaccurate_seek", "-ss", f"{time_s:.3f}"]
    command += [*timed_input(video.path), *video.mapped, "-vf", _scale(options), "-filter_threads", "1"]
    return run([*command, *_ONE_PNG], options.timeout_s).output or None


def _frame(video: VideoFile, time_s: float, options: SlideOptions) -> bytes | None:
    # The same clock as the scan's, so that a picture that began long before is found where it still stands.
    command = sampling(video, time_s, fps=options.sample_fps, threads=1, filters=_scale(options))
    return run([*command, *_ONE_PNG], options.timeout_s).output or None


def _pass(video: VideoFile, wanted: Sequence[Wanted], first_s: float, options: SlideOptions) -> dict[float, bytes]:
    """Pictures by `seen_s`, from the very samples that the scan saw; without those that still show something else."""
    fps = options.sample_fps
    places = {round((one.seen_s - first_s) * fps): one for one in wanted}
    chosen = "+".join(f"eq(n,{place})" for place in sorted(places))
    filters = f",select='{chosen}',setpts=N/{fps}/TB,{_scale(options)}"
    with tempfile.TemporaryDirectory(dir=wanted[0].target.parent) as folder:
        for seek in (True, False):
            command = sampling(video, first_s, fps=fps, threads=options.threads, filters="null", seek=seek)
            command[command.index("-vf") + 1] += filters
            output = ["-frames:v", str(len(places)), "-c:v", "png", "-f", "image2", f"{folder}/%04d.png"]
            run([*command, *output], options.timeout_s)
            pictures = [path.read_bytes() for path in sorted(Path(folder).iterdir())]
            pairs = zip((places[place] for place in sorted(places)), pictures, strict=False)
            found = {one.seen_s: png for one, png in pairs if _shows(png, one.view)}
            if found:
                return found
    return {}


_ONE_PNG = ["-frames:v", "1", "-c:v", "png", "-f", "image2pipe", "pipe:1"]


def _scale(options: SlideOptions) -> str:
    """Square pixels first, then the limit of the width; even sizes are not needed in a PNG."""
    square = "scale='max(1,trunc(iw*if(gt(sar,0),sar,1)))':ih"
    return f"{square},scale='min({options.max_width},iw)':-1,setsar=1,format=rgb24"


def _shows(png: bytes, view: View, *, exactly: bool = False) -> bool:
    decoded = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    if decoded is None:
        return False
    small = np.asarray(cv2.resize(decoded, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
    shown = View(small, view.busy)
    is_same = relate(shown, view, changed_limit=CHANGED_BLOCKS) is Relation.SAME
    return is_same and not (exactly and small_changes(shown, view).any())


def _write(png: bytes, target: Path) -> SlidePicture:
    """Puts the bytes in place in one step, so that a half-written picture is never taken for one."""
    partial = target.with_suffix(".part")
    partial.write_bytes(png)
    partial.replace(target)
    width, height = (int.from_bytes(png[i : i + 4], "big") for i in (16, 20))  # of the PNG's header
    return SlidePicture(
        name=target.name, sha256=hashlib.sha256(png).hexdigest(), size=len(png), width=width, height=height
    )
