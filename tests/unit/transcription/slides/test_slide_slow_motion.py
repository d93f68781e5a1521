"""Slides beside a webcam that changes slowly, and slides that fade or slide in over seconds."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from lecture_video import Style, draw_slide, make_film

from services.transcription.slides.grouping import Showing, group_builds, without_mixtures
from services.transcription.slides.join import join_units
from services.transcription.slides.motion import watch_motion
from services.transcription.slides.scan import scan_range
from services.transcription.slides.stills import find_stills
from services.transcription.slides.values import ScannedSlide, SlideOptions
from services.transcription.slides.views import COLUMNS, HEIGHT, ROWS, WIDTH, View, is_mixture

Picture = Callable[[float], np.ndarray]
QUICK = SlideOptions(read_text=False)
STYLE = Style(builds=True)
STEP_S = 7.0  # each build is shown for as long
FPS = 4
NOTHING_MOVES = np.zeros((ROWS, COLUMNS), np.bool_)


def drawn(seed: int, number: int, style: Style = STYLE) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [np.asarray(picture) for picture in draw_slide(rng, style, number)[0]]


def grey(picture: np.ndarray) -> np.ndarray:
    small = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def slow_webcam(seed: int, amplitude: float = 60.0, period_s: float = 12.0) -> Picture:
    """(120, 160, 3): patches whose grey swings slowly; by 16 levels in half a second at the most, by 85 in three."""
    rng = np.random.default_rng(seed)
    phase, base = rng.uniform(0, 2 * np.pi, (15, 20)), rng.uniform(80, 170, (15, 20))

    def picture(time_s: float) -> np.ndarray:
        patches = base + amplitude * np.sin(2 * np.pi * time_s / period_s + phase)
        full = cv2.resize(np.clip(patches, 0, 255).astype(np.uint8), (160, 120), interpolation=cv2.INTER_NEAREST)
        return np.repeat(full[..., None], 3, axis=2)

    return picture


def faded(slides: list[np.ndarray], hold_s: float, fade_s: float, *, wipe: bool = False) -> Picture:
    """Each slide stands for `hold_s` and then becomes the next within `fade_s`."""

    def picture(time_s: float) -> np.ndarray:
        place, within = divmod(time_s, hold_s + fade_s)
        before, after = (slides[min(int(place) + i, len(slides) - 1)] for i in (0, 1))
        share = max(0.0, (within - hold_s) / fade_s)
        edge = int(share * before.shape[1])
        if wipe:
            return np.concatenate([after[:, :edge], before[:, edge:]], axis=1)
        return (before * (1 - share) + after * share).astype(np.uint8)

    return picture


def far_off(slide: ScannedSlide, folder: Path, truth: list[np.ndarray]) -> float:
    """The share of pixels (%) that differ clearly from the slide that the picture is most like."""
    found = cv2.imread(str(folder / slide.picture.name), cv2.IMREAD_GRAYSCALE)
    assert found is not None
    greys = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(int) for picture in truth]
    return min(float((np.abs(found - other) > 48).mean()) * 100 for other in greys)


@pytest.mark.integration
@pytest.mark.parametrize(("amplitude", "period_s", "slides"), [(60, 12, 3), (30, 8, 2)])
def test_builds_beside_a_slow_webcam_are_one_slide(
    tmp_path: Path, amplitude: float, period_s: float, slides: int
) -> None:
    builds = [drawn(number, number) for number in range(1, slides + 1)]
    steps = [(number, build) for number, made in enumerate(builds) for build in made]
    starts_s = [next(i for i, (slide, _) in enumerate(steps) if slide == n) * STEP_S for n in range(slides)]
    webcam = slow_webcam(3, amplitude, period_s)

    def picture(time_s: float) -> np.ndarray:
        shown = steps[min(int(time_s / STEP_S), len(steps) - 1)][1].copy()
        shown[220:340, 460:620] = webcam(time_s)
        return shown

    make_film(tmp_path / "v.mp4", len(steps) * STEP_S, picture, fps=5)
    found = join_units([scan_range(tmp_path / "v.mp4", 0, len(steps) * STEP_S, tmp_path / "out", QUICK)])
    assert [slide.spans[0].start_s for slide in found] == pytest.approx(starts_s, abs=1.0)
    assert all(len(slide.spans) == 1 for slide in found)


@pytest.mark.integration
@pytest.mark.parametrize(("fade_s", "wipe", "theme"), [(4, False, "light"), (8, False, "dark"), (8, True, "light")])
def test_no_picture_is_taken_inside_a_slow_transition(tmp_path: Path, fade_s: float, wipe: bool, theme: str) -> None:
    slides = [drawn(number, number, Style(theme=theme))[-1] for number in range(1, 5)]
    hold_s, end_s = 12.0, 4 * 12.0 + 3 * fade_s
    make_film(tmp_path / "v.mp4", end_s, faded(slides, hold_s, fade_s, wipe=wipe), fps=5)
    unit = scan_range(tmp_path / "v.mp4", 0, end_s, tmp_path / "out", QUICK)
    assert len(unit.slides) == len(slides)
    for number, slide in enumerate(unit.slides):
        assert far_off(slide, tmp_path / "out", [slides[number]]) < 0.3
        begins_s = number * (hold_s + fade_s)
        assert begins_s - fade_s - 0.5 <= slide.spans[0].start_s <= begins_s + 1.0


def samples(picture: Picture, seconds: float) -> Iterator[np.ndarray]:
    return (grey(picture(i / FPS)) for i in range(round(seconds * FPS)))


def test_a_slow_webcam_is_in_motion_and_a_short_animation_is_not() -> None:
    slide, webcam = drawn(1, 1)[-1], slow_webcam(1)

    def beside(time_s: float) -> np.ndarray:
        shown = slide.copy()
        shown[220:340, 460:620] = webcam(time_s)
        return shown

    def animated(time_s: float) -> np.ndarray:
        return beside(min(10.0, time_s))

    inside = np.s_[12:16, 24:30]
    busy = [sample.busy for sample in watch_motion(samples(beside, 40), 0, FPS)]
    assert np.mean([blocks[inside].mean() for blocks in busy]) > 0.95
    assert all(blocks[:10].sum() == 0 for blocks in busy)
    assert not any(sample.busy.any() for sample in watch_motion(samples(animated, 40), 0, FPS))


def test_slides_that_always_fade_are_no_webcam() -> None:
    slides = [drawn(number, number, Style())[-1] for number in range(1, 5)]
    frames = samples(faded(slides, 6, 8), 48)
    stills = find_stills(frames, start_s=0, fps=FPS, stable_s=0.5)
    shown = group_builds(without_mixtures(Showing(one.start_s, one.end_s, one.view, one) for one in stills))
    assert [one.end_s for one in shown[:-1]] == pytest.approx([6, 20, 34], abs=2.5)
    for one, slide in zip(shown, slides, strict=True):
        assert (np.abs(one.view.grey.astype(int) - grey(slide)) < 24).all()


def test_a_mixture_lies_between_its_neighbours_and_a_slide_does_not() -> None:
    first, second, third = (grey(drawn(number, number, Style())[-1]) for number in (1, 2, 3))
    before, other, after = (View(picture, NOTHING_MOVES) for picture in (first, second, third))
    half = View(((first.astype(int) + third) // 2).astype(np.uint8), NOTHING_MOVES)
    wiped = View(np.concatenate([third[:, :150], first[:, 150:]], axis=1), NOTHING_MOVES)
    assert is_mixture(before, half, after)
    assert is_mixture(before, wiped, after)
    assert not is_mixture(before, other, after)
    assert not is_mixture(before, before, after)
    assert not is_mixture(before, after, after)


def test_only_short_mixtures_are_left_out_and_builds_stay() -> None:
    builds = [grey(picture) for picture in drawn(4, 4)]
    other = grey(drawn(9, 9)[-1])
    half = ((builds[-1].astype(int) + other) // 2).astype(np.uint8)

    def listed(*shown: tuple[np.ndarray, float]) -> list[Showing[int]]:
        starts = np.cumsum([0.0, *(length for _, length in shown)])
        return [
            Showing(start, end, View(picture, NOTHING_MOVES), number)
            for number, ((start, end), (picture, _)) in enumerate(zip(pairwise(starts), shown, strict=True))
        ]

    def kept(*shown: tuple[np.ndarray, float]) -> list[int]:
        return [showing.origin for showing in without_mixtures(listed(*shown))]

    assert kept((builds[-1], 9.0), (half, 5.0), (other, 9.0)) == [0, 2]
    assert kept((builds[-1], 9.0), (half, 7.0), (other, 9.0)) == [0, 1, 2]
    assert kept(*((build, 2.0) for build in builds)) == list(range(len(builds)))
    assert kept((half, 2.0)) == [0]
    assert kept() == []
