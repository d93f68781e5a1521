"""Videos that store a picture only when something changes, coarse time stamps, late and broken picture streams."""

import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from lecture_video import Style, draw_slide

from services.transcription.slides.join import join_units
from services.transcription.slides.picture import Wanted, extract_pictures
from services.transcription.slides.scan import NO_PICTURES, REDUCED, scan_range
from services.transcription.slides.values import SlideOptions, SlideUnit
from services.transcription.slides.video import adapted, probe
from services.transcription.slides.views import View

pytestmark = pytest.mark.integration

QUICK = SlideOptions(read_text=False)
LENGTHS_S = (9.0, 14.0, 11.0, 17.0, 9.5, 13.0, 12.0)
STARTS_S = [sum(LENGTHS_S[:i]) for i in range(len(LENGTHS_S))]
END_S = sum(LENGTHS_S)
X264 = ("-fps_mode", "vfr", "-c:v", "libx264", "-pix_fmt", "yuv420p")


def ffmpeg(*arguments: object) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True)


def make_slides(folder: Path, lengths_s: tuple[float, ...]) -> list[np.ndarray]:
    """One picture a slide and a list for ffmpeg's concat demuxer; the last picture is stored twice."""
    rng = np.random.default_rng(7)
    pictures, listed = [], "ffconcat version 1.0\n"
    for number, length_s in enumerate(lengths_s):
        picture = draw_slide(rng, Style(size=(640, 360)), number + 1)[0][-1]
        picture.save(folder / f"{number}.png")
        pictures.append(np.asarray(picture))
        listed += f"file {number}.png\nduration {length_s}\n"
    (folder / "list.ffconcat").write_text(f"{listed}file {len(lengths_s) - 1}.png\n")
    return pictures


def make_video(path: Path, *arguments: object, sound_s: float = 0.0, lengths_s: tuple[float, ...] = LENGTHS_S) -> Path:
    make_slides(path.parent, lengths_s)
    sound = ["-f", "lavfi", "-t", sound_s, "-i", "sine=440"] if sound_s else []
    ffmpeg("-safe", 0, "-i", path.parent / "list.ffconcat", *sound, *arguments, path)
    return path


def starts_of(units: list[SlideUnit]) -> list[float]:
    slides = join_units(units)
    assert not [warning for unit in units for warning in unit.warnings]
    assert [slide.number for slide in slides] == list(range(1, len(slides) + 1))
    assert all(len(slide.spans) == 1 for slide in slides)
    return [slide.spans[0].start_s for slide in slides]


def check_pictures(unit: SlideUnit, folder: Path, truth: list[np.ndarray]) -> None:
    for slide, picture in zip(unit.slides, truth, strict=True):
        found = cv2.imread(str(folder / slide.picture.name))
        assert found is not None
        assert np.abs(found[..., ::-1].astype(int) - picture).mean() < 4


@pytest.mark.parametrize(
    ("name", "encoder"),
    [
        ("b-frames.mkv", (*X264, "-c:a", "libopus")),
        ("b-frames.mp4", (*X264, "-c:a", "aac")),
        ("one-a-second.mkv", ("-r", "1", *X264[2:], "-c:a", "aac")),
        ("hevc.mp4", (*X264[:2], "-c:v", "libx265", "-x265-params", "log-level=none", "-c:a", "aac")),
        ("vp9.webm", (*X264[:2], "-c:v", "libvpx-vp9", "-deadline", "realtime", "-lag-in-frames", "16")),
        ("coarse.mov", (*X264, "-video_track_timescale", "1", "-c:a", "aac")),
        ("gaps.ts", (*X264, "-c:a", "aac")),
        ("gaps-mpeg2.ts", (*X264[:2], "-c:v", "mpeg2video", "-q:v", "4", "-c:a", "mp2")),
    ],
)
def test_every_stored_picture_counts(tmp_path: Path, name: str, encoder: tuple[str, ...]) -> None:
    video = make_video(tmp_path / name, *encoder, sound_s=END_S)
    unit = scan_range(video, 0, END_S, tmp_path / "out", QUICK)
    assert starts_of([unit]) == pytest.approx(STARTS_S, abs=1.0)
    check_pictures(unit, tmp_path / "out", make_slides(tmp_path, LENGTHS_S))


@pytest.mark.parametrize("name", ["b-frames.mkv", "coarse.mov", "gaps.ts"])
def test_ranges_change_nothing(tmp_path: Path, name: str) -> None:
    coarse = ("-video_track_timescale", "1") if name == "coarse.mov" else ()
    video = make_video(tmp_path / name, *X264, *coarse)
    spans = [(start, min(start + 8.0, END_S)) for start in np.arange(0, END_S, 8.0).tolist()]
    units = [scan_range(video, start, end, tmp_path / f"{start:.0f}", QUICK) for start, end in spans]
    assert starts_of(units) == pytest.approx(STARTS_S, abs=1.0)


def test_what_is_shown_late_is_not_shown_before(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mp4", "-r", "10", *X264[2:])
    late = tmp_path / "late.mp4"
    sound = ("-f", "lavfi", "-t", END_S + 4, "-i", "sine=440", "-map", "0:v", "-map", "1:a")
    ffmpeg("-itsoffset", 4, "-i", video, *sound, "-c:v", "copy", "-c:a", "aac", late)
    unit = scan_range(late, 0, END_S + 4, tmp_path / "out", QUICK)
    assert starts_of([unit]) == pytest.approx([start + 4 for start in STARTS_S], abs=1.0)
    assert unit.slides[0].spans[0].start_s == pytest.approx(4.0, abs=0.1)
    assert scan_range(late, 0, 3, tmp_path / "before", QUICK).slides == ()


def test_a_single_frame_is_at_most_one_slide(tmp_path: Path) -> None:
    video = make_video(tmp_path / "cover.m4a", "-frames:v", 1, *X264[2:], "-c:a", "aac", "-f", "mp4", sound_s=20)
    unit = scan_range(video, 0, 20, tmp_path / "out", QUICK)
    assert len(unit.slides) <= 1


def test_pictures_that_never_decode_leave_the_sound_alone(tmp_path: Path) -> None:
    video = make_video(tmp_path / "good.mkv", *X264, "-c:a", "aac", sound_s=END_S)
    broken = tmp_path / "broken.mkv"
    ffmpeg("-i", video, "-c", "copy", "-bsf:v", "noise=amount=1", broken)
    unit = scan_range(broken, 0, END_S, tmp_path / "out", QUICK)
    assert unit.slides == ()
    assert unit.warnings == (NO_PICTURES,)


def test_the_larger_of_two_picture_streams_has_the_slides(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mp4", "-r", "5", *X264[2:])
    both = tmp_path / "both.mkv"
    camera = ("-f", "lavfi", "-t", END_S, "-i", "mandelbrot=s=320x180:r=5", "-map", "1:v", "-map", "0:v")
    ffmpeg("-i", video, *camera, *X264[2:], "-disposition:v", "0", both)
    assert starts_of([scan_range(both, 0, END_S, tmp_path / "out", QUICK)]) == pytest.approx(STARTS_S, abs=1.0)


def test_a_frame_that_shows_something_else_is_never_taken(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mkv", *X264, lengths_s=(9.0, 9.0))
    source = adapted(probe(video, 60), 0, 18, 60)
    blank = np.full((180, 320), 255, np.uint8)
    other = cv2.putText(blank, "Not in the video", (20, 90), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 0, 2)
    view = View(np.asarray(other, np.uint8), np.zeros((18, 32), np.bool_))
    extracted = extract_pictures(source, [Wanted(4.0, view, tmp_path / "0001.png")], 0.0, QUICK)
    assert [one.reduced for one in extracted] == [True]
    assert (cv2.imread(str(tmp_path / "0001.png"), cv2.IMREAD_GRAYSCALE) == view.grey).all()
    assert "small" in REDUCED
