"""Slides that differ in a number or two are slides of their own; pointers, clocks and bars make none."""

from pathlib import Path

import numpy as np
import pytest
from exercise_video import Drawn, exercise, make_video, pointer
from lecture_video import font
from PIL import ImageDraw

from services.transcription.slides.join import join_units
from services.transcription.slides.scan import scan_range
from services.transcription.slides.values import JoinedSlide, SlideOptions

pytestmark = pytest.mark.integration

SMALL, LARGE = (640, 360), (1280, 720)
STAYS_S = 8.0


def scan(video: Path, end_s: float, unit_s: float = 1000.0) -> list[JoinedSlide]:
    starts = [float(start) for start in np.arange(0, end_s, unit_s)]
    return join_units(
        [scan_range(video, s, min(end_s, s + unit_s), video.parent / f"{s:.0f}", SlideOptions()) for s in starts]
    )


@pytest.mark.parametrize(
    ("size", "rate", "theme", "unit_s"),
    [(SMALL, "24000/1001", "light", 1000.0), (LARGE, "10", "dark", 1000.0), (SMALL, "10", "dark", 12.0)],
    ids=["small-23.976", "large-dark", "small-units"],
)
def test_exercises_that_differ_in_their_number_are_slides_each(
    tmp_path: Path, size: tuple[int, int], rate: str, theme: str, unit_s: float
) -> None:
    slides = [(exercise(size, str(number), theme=theme), STAYS_S) for number in range(1, 5)]
    found = scan(tmp_path / "v.mp4", make_video(tmp_path / "v.mp4", slides, rate=rate), unit_s)
    assert [slide.title for slide in found] == [f"Exercise {number}" for number in range(1, 5)]
    assert [slide.spans[0].start_s for slide in found] == pytest.approx([0, 8, 16, 24], abs=1.0)
    assert [slide.spans[-1].end_s for slide in found] == pytest.approx([8, 16, 24, 32], abs=1.0)
    assert len({slide.picture.sha256 for slide in found}) == 4


def test_an_exercise_that_comes_again_is_recognised_among_those_like_it(tmp_path: Path) -> None:
    numbers = ["1", "2", "3", "2"]
    slides = [(exercise(SMALL, number, (number, "5")), STAYS_S) for number in numbers]
    found = scan(tmp_path / "v.mp4", make_video(tmp_path / "v.mp4", slides))
    assert [slide.title for slide in found] == ["Exercise 1", "Exercise 2", "Exercise 3"]
    assert [len(slide.spans) for slide in found] == [1, 2, 1]


def _moving(draw: ImageDraw.ImageDraw, time_s: float) -> None:
    pointer(draw, 60 + 200 * (1 + np.sin(time_s * 0.7)), 40 + 120 * (1 + np.cos(time_s * 0.5)), 0.9)


def _parked_on_number(draw: ImageDraw.ImageDraw, time_s: float) -> None:
    place = (300, 300) if time_s < 8 else (208, 34) if time_s < 16 else (262, 150)
    pointer(draw, *place, 0.9)


def _comes_to_stay(draw: ImageDraw.ImageDraw, time_s: float) -> None:
    if time_s > 9:
        pointer(draw, 204, 30, 0.9)


def _hovering(draw: ImageDraw.ImageDraw, time_s: float) -> None:
    places = [(500, 330), (170, 148), (206, 40), (320, 245), (150, 95), (270, 240)]
    pointer(draw, *places[int(time_s // 4) % 6], 0.8)


def _laser(draw: ImageDraw.ImageDraw, time_s: float) -> None:
    places = [(212, 38), (188, 152), (500, 330), (310, 252), (210, 150)]
    x, y = places[int(time_s // 4.5) % 5]
    draw.ellipse((x - 5, y - 5, x + 5, y + 5), fill="#ff2020")


def _cursor(draw: ImageDraw.ImageDraw, time_s: float) -> None:
    if time_s % 8 < 4:
        draw.rectangle((226, 22, 229, 50), fill="black")


def _clock(draw: ImageDraw.ImageDraw, time_s: float) -> None:
    draw.text((560, 8), f"14:{20 + int(time_s // 5):02}", font=font(20), fill="black")


def _counter(draw: ImageDraw.ImageDraw, time_s: float) -> None:
    draw.text((20, 335), f"Page {1 + int(time_s // 5)} of 20", font=font(16), fill="black")


def _top_counter(draw: ImageDraw.ImageDraw, time_s: float) -> None:
    draw.text((530, 8), f"Slide {1 + int(time_s // 5)}", font=font(15), fill="black")


def _bar(draw: ImageDraw.ImageDraw, time_s: float) -> None:
    draw.rectangle((40, 345, 40 + time_s * 18, 352), fill="#2040c0")


def _timer(draw: ImageDraw.ImageDraw, time_s: float) -> None:
    draw.text((420, 300), f"{int(time_s // 4) + 10} %", font=font(22), fill="black")


@pytest.mark.parametrize(
    "over",
    [
        *(_moving, _parked_on_number, _comes_to_stay, _hovering, _laser, _cursor),
        *(_clock, _counter, _top_counter, _bar, _timer),
    ],
)
def test_what_moves_over_a_slide_or_counts_beside_it_makes_no_slide(tmp_path: Path, over: Drawn) -> None:
    end_s = make_video(tmp_path / "v.mp4", [(exercise(SMALL, "3"), 28.0)], over)
    found = scan(tmp_path / "v.mp4", end_s)
    assert len(found) == 1
    assert found[0].spans[0].end_s == pytest.approx(end_s, abs=1.0)
