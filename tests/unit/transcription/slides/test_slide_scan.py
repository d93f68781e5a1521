"""Slides found in made-up lectures of which the truth is known."""

import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from lecture_video import Shown, Style, make_film, make_lecture
from pydantic import TypeAdapter

from services.transcription.slides.join import join_units
from services.transcription.slides.programs import read_blocks, run
from services.transcription.slides.scan import scan_range
from services.transcription.slides.values import JoinedSlide, SlideOptions, SlideUnit
from shared.errors import EngineError, EngineTimeoutError, InvalidSourceError

pytestmark = pytest.mark.integration

QUICK = SlideOptions(read_text=False)
X264 = ("-c:v", "libx264", "-preset", "veryfast")
SMALL = {"size": (480, 270), "slides": 4}


def scan(video: Path, end_s: float, unit_s: float = 1000.0, options: SlideOptions = QUICK) -> list[SlideUnit]:
    starts = np.arange(0, end_s, unit_s)
    return [
        scan_range(video, float(s), float(min(end_s, s + unit_s)), video.parent / f"{s:.0f}", options) for s in starts
    ]


def starts_of(slides: list[JoinedSlide]) -> list[tuple[float, int]]:
    return sorted((span.start_s, slide.number) for slide in slides for span in slide.spans)


def check(truth: list[Shown], slides: list[JoinedSlide]) -> None:
    """Every change found within a second, none invented, each slide recognised when shown again."""
    numbers = list(dict.fromkeys(entry.slide for entry in truth))
    expected = [(entry.start_s, numbers.index(entry.slide) + 1) for entry in truth]
    found = starts_of(slides)
    assert [number for _, number in found] == [number for _, number in expected]
    assert [start for start, _ in found] == pytest.approx([start for start, _ in expected], abs=1.0)


@pytest.mark.parametrize(
    ("seed", "style", "unit_s"),
    [
        (11, Style(**SMALL, builds=True, webcam=True), 1000.0),
        (12, Style(**SMALL, transition="dissolve", theme="dark", pointer=True), 1000.0),
        (13, Style(**SMALL, brief=True, revisit=True, pillarbox=True), 9.0),
        (14, Style(**SMALL, transition="push", encoder=(*X264, "-crf", "38")), 1000.0),
        (15, Style(**SMALL, encoder=("-c:v", "libvpx", "-deadline", "realtime", "-b:v", "300k")), 13.0),
        (16, Style(size=(270, 480), slides=4, animation=True, encoder=("-c:v", "mpeg4", "-q:v", "6")), 1000.0),
    ],
    ids=["webcam-builds", "dissolve-pointer", "brief-revisit-units", "push-low-bitrate", "webm-units", "portrait-avi"],
)
def test_every_change_is_found_and_none_invented(tmp_path: Path, seed: int, style: Style, unit_s: float) -> None:
    suffix = {"libvpx": ".webm", "mpeg4": ".avi"}.get(style.encoder[1], ".mp4")
    video = tmp_path / f"lecture{suffix}"
    truth = make_lecture(video, seed, style)
    check(truth, join_units(scan(video, truth[-1].end_s, unit_s)))


@pytest.fixture(scope="module")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Shown]]:
    video = tmp_path_factory.mktemp("lecture") / "lecture.mp4"
    return video, make_lecture(video, 21, Style(slides=3))


def test_pictures_and_text_are_those_of_the_slides(lecture: tuple[Path, list[Shown]], tmp_path: Path) -> None:
    video, truth = lecture
    unit = scan_range(video, 0, truth[-1].end_s, tmp_path, SlideOptions())
    assert TypeAdapter(SlideUnit).validate_json(unit.model_dump_json()) == unit
    for slide, shown in zip(unit.slides, truth, strict=True):
        picture = cv2.imread(str(tmp_path / slide.picture.name))
        assert picture is not None
        assert picture.shape == (slide.picture.height, slide.picture.width, 3) == (360, 640, 3)
        assert np.abs(picture[..., ::-1].astype(int) - np.asarray(shown.picture)).mean() < 4
        assert slide.title.lower() == " ".join(shown.words[:3])
        read = slide.text.lower().split()
        assert sum(word in read for word in shown.words) >= 0.95 * len(shown.words)
    assert sorted(path.name for path in tmp_path.iterdir()) == [slide.picture.name for slide in unit.slides]


def test_scanning_again_gives_the_same_bytes(lecture: tuple[Path, list[Shown]], tmp_path: Path) -> None:
    video, truth = lecture
    units = [scan_range(video, 0, truth[-1].end_s, tmp_path / str(i), QUICK) for i in range(2)]
    assert units[0] == units[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ["-c", "copy", "-bsf:v", "h264_mp4toannexb", "x.ts"],
        ["-c", "copy", "-live", "1", "x.mkv"],
        ["-vf", "mpdecimate=hi=200:lo=100:frac=1:max=30", "-vsync", "vfr", *X264, "x.mp4"],
        ["-vf", "scale=637:359", *X264, "-pix_fmt", "yuv444p", "x.mp4"],
        ["-c", "copy", "-metadata:s:v", "rotate=90", "x.mp4"],
    ],
    ids=["mpegts", "no-duration", "variable-rate", "odd-size", "rotated"],
)
def test_containers_and_rates(lecture: tuple[Path, list[Shown]], tmp_path: Path, arguments: list[str]) -> None:
    video, truth = lecture
    other = tmp_path / arguments[-1]
    subprocess.run(["ffmpeg", "-v", "error", "-i", video, *arguments[:-1], str(other)], check=True, cwd=tmp_path)
    slides = join_units(scan(other, truth[-1].end_s, 8.0))
    check(truth, slides)
    if "rotate=90" in arguments:
        assert (slides[0].picture.width, slides[0].picture.height) == (360, 640)


def test_of_a_truncated_file_what_decodes_is_used(lecture: tuple[Path, list[Shown]], tmp_path: Path) -> None:
    video, truth = lecture
    whole = tmp_path / "whole.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-i", video, "-c", "copy", "-movflags", "+faststart", whole], check=True)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * 0.55)])
    slides = join_units(scan(cut, truth[-1].end_s))
    assert 1 <= len(slides) <= 2
    assert slides[0].spans[0].start_s == 0


def test_a_video_that_cannot_be_decoded_is_refused(lecture: tuple[Path, list[Shown]], tmp_path: Path) -> None:
    data = bytearray(lecture[0].read_bytes())
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    data[start:end] = b"\xff" * (end - start)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(data)
    with pytest.raises(InvalidSourceError, match="no frame"):
        scan_range(broken, 0, 10, tmp_path / "out", QUICK)
    (tmp_path / "text.mp4").write_text("this is no video")
    with pytest.raises(InvalidSourceError):
        scan_range(tmp_path / "text.mp4", 0, 10, tmp_path / "out", QUICK)


def test_a_range_after_the_end_has_no_slides(lecture: tuple[Path, list[Shown]], tmp_path: Path) -> None:
    end_s = lecture[1][-1].end_s
    assert scan_range(lecture[0], end_s + 100, end_s + 160, tmp_path, QUICK).slides == ()
    assert scan_range(lecture[0], 5, 5, tmp_path, QUICK).slides == ()


def test_sound_with_a_cover_picture_has_no_slides(tmp_path: Path) -> None:
    cover, sound = tmp_path / "cover.png", tmp_path / "sound.mp3"
    cv2.imwrite(str(cover), np.random.default_rng(0).integers(0, 255, (300, 300, 3)))
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-f",
        "lavfi",
        "-t",
        "5",
        "-i",
        "sine",
        "-i",
        str(cover),
        "-map",
        "0",
        "-map",
        "1",
    ]
    subprocess.run([*command, "-c:v", "copy", "-disposition:v", "attached_pic", str(sound)], check=True)
    assert scan_range(sound, 0, 5, tmp_path / "out", QUICK).slides == ()


@pytest.mark.parametrize("source", ["color=blue", "mandelbrot", "life=mold=10:random_seed=2"])
def test_what_has_no_slides_gives_almost_none(tmp_path: Path, source: str) -> None:
    film = tmp_path / "film.mp4"
    joint = ":" if "=" in source else "="
    graph = f"{source}{joint}s=320x180:r=10"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-t", "8", "-i", graph, *X264, "-pix_fmt", "yuv420p", film],
        check=True,
    )
    assert len(scan_range(film, 0, 8, tmp_path / "out", QUICK).slides) <= (0 if "color" in source else 1)


def test_a_cap_keeps_the_longest_shown_and_says_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    pages = [cv2.resize(rng.integers(0, 255, (9, 16, 3), np.uint8), (640, 360), interpolation=0) for _ in range(12)]
    film = tmp_path / "film.mp4"
    make_film(film, 24, lambda time: pages[int(time / 2)])
    unit = scan_range(film, 0, 24, tmp_path / "out", SlideOptions(read_text=False, min_slide_limit=5))
    assert len(unit.slides) == 5
    assert len(unit.warnings) == 1


def test_a_killed_or_late_program_is_the_engine_s_fault() -> None:
    with pytest.raises(EngineError, match="signal 9"):
        run(["sh", "-c", "kill -9 $$"], 5)
    with pytest.raises(EngineError, match="signal 9"):
        list(read_blocks(["sh", "-c", "printf abcd; kill -9 $$"], 2, 5))
    with pytest.raises(EngineTimeoutError):
        run(["sleep", "5"], 0.2)
    with pytest.raises(EngineTimeoutError):
        list(read_blocks(["sleep", "5"], 2, 0.2))
    with pytest.raises(EngineError, match="could not be started"):
        run(["no-such-program-here"], 1)


def test_an_abandoned_reader_leaves_no_process() -> None:
    sleeper = shutil.which("sh") or "sh"
    blocks = read_blocks([sleeper, "-c", "while true; do echo ab; done"], 2, 5)
    assert next(blocks) == b"ab"
    blocks.close()
