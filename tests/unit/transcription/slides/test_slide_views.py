"""Two pictures of the screen: the same, a build, less, or another slide."""

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lecture_video import Style, draw_slide
from PIL import Image

from services.transcription.slides.views import (
    COLUMNS,
    HEIGHT,
    ROWS,
    WIDTH,
    Relation,
    View,
    decode,
    encode,
    hull,
    is_scrolled,
    relate,
)

NOTHING_MOVES = np.zeros((ROWS, COLUMNS), np.bool_)


def view(picture: Image.Image) -> View:
    grey = np.asarray(picture.convert("L"))
    return View(cv2.resize(grey, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), NOTHING_MOVES)


def builds(seed: int, theme: str = "light") -> list[View]:
    pictures, _ = draw_slide(np.random.default_rng(seed), Style(theme=theme, builds=True), seed % 9 + 1)
    return [view(picture) for picture in pictures]


@pytest.mark.parametrize("theme", ["light", "dark", "warm", "blue"])
@pytest.mark.parametrize("seed", range(5))
def test_a_build_holds_the_one_before(seed: int, theme: str) -> None:
    steps = builds(seed, theme)
    for before, after in itertools.pairwise(steps):
        assert relate(before, after) is Relation.BUILD
        assert relate(after, before) is Relation.REDUCED


@given(st.integers(0, 10_000), st.integers(0, 10_000))
@settings(max_examples=40)
def test_two_slides_of_one_template_are_different(first: int, second: int) -> None:
    if first == second:
        second += 1
    assert relate(builds(first)[-1], builds(second)[-1]) is Relation.DIFFERENT


@given(st.integers(0, 10_000), st.floats(0, 4))
@settings(max_examples=25)
def test_noise_and_the_way_through_a_fingerprint_change_nothing(seed: int, noise: float) -> None:
    slide = builds(seed)[-1]
    grain = np.random.default_rng(seed).normal(0, noise, slide.grey.shape)
    noisy = View(np.clip(slide.grey + grain, 0, 255).astype(np.uint8), NOTHING_MOVES)
    assert relate(slide, decode(encode(noisy))) is Relation.SAME


def test_the_same_slide_sharper_or_dimmed_is_the_same() -> None:
    slide = builds(3)[-1]
    blurred = View(cv2.GaussianBlur(slide.grey, (5, 5), 1.2), NOTHING_MOVES)
    assert relate(blurred, slide) is Relation.SAME


def test_what_moves_is_left_out() -> None:
    slide = builds(3)[-1]
    busy = NOTHING_MOVES.copy()
    busy[4:9, 3:12] = True
    disturbed = slide.grey.copy()
    disturbed[40:90, 30:120] = np.random.default_rng(0).integers(0, 255, (50, 90))
    assert relate(View(disturbed, NOTHING_MOVES), slide) is not Relation.SAME
    assert relate(View(disturbed, busy), slide) is Relation.SAME


def test_a_pointer_is_no_change() -> None:
    slide = builds(3)[-1]
    pointed = slide.grey.copy()
    pointed[88:94, 148:152] = 0
    assert relate(slide, View(pointed, NOTHING_MOVES)) is Relation.SAME


def test_a_page_scrolled_by_a_few_lines_is_known() -> None:
    slide = builds(5)[-1]
    moved = View(np.roll(slide.grey, -20, axis=0), NOTHING_MOVES)
    assert is_scrolled(slide, moved)
    assert not is_scrolled(slide, builds(6)[-1])


def test_blank_screens_are_blank_and_a_single_word_is_not() -> None:
    blank = View(np.full((HEIGHT, WIDTH), 20, np.uint8), NOTHING_MOVES)
    word = blank.grey.copy()
    cv2.putText(word, "Thanks", (100, 90), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (230,))
    assert blank.is_blank
    assert not View(word, NOTHING_MOVES).is_blank


def test_the_hull_of_a_moving_head_is_its_whole_rectangle() -> None:
    active = NOTHING_MOVES.copy()
    active[10, 20] = active[11, 21] = active[12, 20] = active[12, 22] = True
    covered = hull(active)
    assert covered[9:14, 19:24].all()
    assert covered.sum() == 25
